"""What users' code may not replace: the suite's own functions, clocks, and what the baseline runs."""
# the expected value stands on the left

import time

import pytest
import torch
from torch import nn

import suite.bench.failing
import suite.bench.run
import suite.measure.speed
from suite.bench import integrity
from suite.bench.integrity import Methods, State, check_baseline, check_suite
from suite.core.errors import ImplausibleError
from suite.measure.sampler.options import SYSTEM_CLOCK


def test_the_suite_as_it_is_passes():
    """All of its modules that are loaded, whatever decorators their functions have."""
    check_suite()


@pytest.mark.parametrize(
    ("owner", "name", "told"),
    [
        (suite.measure.speed, "check", "suite.measure.speed.check"),
        (suite.measure.speed, "_sample", "suite.measure.speed._sample"),
        (suite.bench.run.Run, "left_out", "suite.bench.run.Run.left_out"),
        (suite.bench.failing, "failing", "suite.bench.failing.failing"),
    ],
    ids=["imported", "defined", "method", "decides"],
)
def test_a_function_of_the_suite_that_was_replaced_is_named_with_what_replaced_it(monkeypatch, owner, name, told):
    monkeypatch.setattr(owner, name, lambda *_, **__: None)
    with pytest.raises(ImplausibleError, match=rf"{told} has been replaced by .*lambda.*test_integrity\.py:\d+"):
        check_suite()


def test_a_file_that_was_edited_while_the_run_went_on_is_told_as_such(monkeypatch):
    """Nobody cheated; the run is not believed all the same."""
    monkeypatch.setattr(suite.measure.speed, "check", lambda *_, **__: None)
    monkeypatch.setattr(integrity, "_constants", {})  # of this one, too
    monkeypatch.setattr(integrity, "LOADED", 0.0)
    with pytest.raises(ImplausibleError, match=r"speed\.py was edited while this process ran.*run again"):
        check_suite()


def test_a_function_that_wraps_the_suites_own_is_not_it(monkeypatch):
    """Only what says that it wraps (functools.wraps) is looked through, as the suite's own decorators do."""
    before = suite.measure.speed.check

    def check(*arguments, **more):
        return before(*arguments, **more)

    monkeypatch.setattr(suite.measure.speed, "check", check)
    with pytest.raises(ImplausibleError, match=r"speed\.check has been replaced"):
        check_suite()


@pytest.fixture
def remembered(monkeypatch):
    monkeypatch.setattr(integrity, "_constants", {})
    monkeypatch.setattr(integrity, "_records", {})
    integrity.remember_constants()


@pytest.mark.usefixtures("remembered")
def test_a_constant_that_was_replaced_is_named(monkeypatch):
    """A limit that a user's module raises is no limit."""
    check_suite()
    monkeypatch.setattr("suite.measure.integrity.outputs.SEEN_GAIN", 1e9)
    with pytest.raises(ImplausibleError, match=r"outputs\.SEEN_GAIN has been replaced by 1000000000"):
        check_suite()


@pytest.mark.usefixtures("remembered")
def test_a_clock_of_a_record_that_was_replaced_is_named():
    """A frozen record can be changed all the same."""
    clock = SYSTEM_CLOCK.clock
    object.__setattr__(SYSTEM_CLOCK, "clock", time.monotonic)
    try:
        with pytest.raises(ImplausibleError, match=r"SYSTEM_CLOCK\.clock has been replaced by .*monotonic"):
            check_suite()
    finally:
        object.__setattr__(SYSTEM_CLOCK, "clock", clock)


def test_a_clock_that_a_module_of_the_suite_imported_is_named(monkeypatch):
    """Although the clock of the library is what it was."""
    monkeypatch.setattr("suite.measure.sampler.timing.perf_counter", time.monotonic)
    with pytest.raises(ImplausibleError, match=r"timing\.perf_counter has been replaced"):
        check_suite()


@pytest.mark.parametrize("by", [lambda: 0.0, time.thread_time])
def test_a_clock_that_was_replaced_is_named(monkeypatch, by):
    monkeypatch.setattr(time, "perf_counter", by)
    with pytest.raises(ImplausibleError, match=r"time\.perf_counter has been replaced"):
        check_suite()


@pytest.fixture
def network():
    return nn.Sequential(nn.Linear(2, 2), nn.ReLU())


def test_a_network_that_nobody_touched_is_intact(network):
    before, methods = State.of(network), Methods.now()
    network(torch.ones(1, 2))
    network.eval()
    check_baseline(network, before, methods, "honest")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda network: network[0].weight.data.mul_(2), r"its weights changed \(0\.weight\)"),
        (lambda network: network[0].register_forward_hook(lambda *_: None), "hooks were registered"),
        (lambda network: network[1].register_forward_pre_hook(lambda *_: None), "hooks were registered"),
        (lambda network: setattr(network[0], "forward", lambda x: x), "methods of its modules were replaced"),
    ],
    ids=["weights", "hook", "pre-hook", "forward"],
)
def test_a_change_of_the_baseline_is_told(network, change, told):
    before, methods = State.of(network), Methods.now()
    change(network)
    with pytest.raises(ImplausibleError, match=told):
        check_baseline(network, before, methods, "attack")


def test_what_every_call_of_the_baseline_changes_is_no_change(network):
    """A counter of calls moves; a weight beside it is seen all the same."""
    network.register_buffer("calls", torch.zeros(()))
    before, methods, moving = State.of(network), Methods.now(), frozenset({"calls"})
    network.calls += 1
    check_baseline(network, before, methods, "honest", moving)
    network[0].weight.data.mul_(2)
    with pytest.raises(ImplausibleError, match=r"its weights changed \(0\.weight\)"):
        check_baseline(network, before, methods, "attack", moving)


def test_methods_that_the_baseline_does_not_call_are_the_techniques_own_business(network):
    before, methods, plainly = State.of(network), Methods.now(), nn.Conv2d.forward
    nn.Conv2d.forward = lambda self, x: plainly(self, 1 * x)
    try:
        check_baseline(network, before, methods, "honest")
    finally:
        nn.Conv2d.forward = plainly


def test_functions_that_all_networks_call_are_put_back(network):
    before, methods, plainly = State.of(network), Methods.now(), nn.functional.relu
    nn.functional.relu = lambda x, inplace=False: plainly(x, inplace)
    with pytest.raises(ImplausibleError, match=r"it replaced .*functional\.relu"):
        check_baseline(network, before, methods, "attack")
    assert nn.functional.relu is plainly
