"""Ten attacks on the harness, each planted as a technique or in the harness itself, and what the run says of them.

Each goes through the real bench on the tiny workload. The honest twins are the workload's own techniques, which the
tests of the bench measure without a word.
"""
# the expected value stands on the left

import threading
import time
from dataclasses import replace

import pytest
import tiny
import torch

from suite.errors import ImplausibleError, OutputError, SuiteError
from suite.measure import speed, timing
from suite.measure.sides import BASE, TECHNIQUE
from suite.run import bench as bench_module
from suite.run.bench import Bench, Plan

SHORT = speed.Budget(batch=0.1, single=0.05, latency=0.02, training=0.05, rounds=1, tolerance=1.0)


@pytest.fixture
def bench(monkeypatch):
    monkeypatch.setattr(speed, "QUICK", SHORT)
    with Bench(registry=tiny.registry(), device="cpu", plan=Plan(profile="quick", seeds=1)) as made:
        yield made


def deployed(bench, deploy):
    """What the bench says of a technique that serves in this way, group by group until one raises."""

    @bench.registry.technique(slots=("deploy",))
    def attack(plain):
        """Serve otherwise."""
        return replace(plain, deploy=deploy)

    case = tiny.case_of(bench.registry, "attack")
    for group in ("quality", "size", "speed"):
        bench.measure(case, group)


def test_1_an_answer_that_is_kept_is_no_answer(bench):
    """The first batch's outputs for everything of that shape at that address."""

    def deploy(network):
        kept = {}

        def call(inputs):
            key = inputs.data_ptr()
            if key not in kept:
                kept[key] = network(inputs)
            return kept[key]

        return call

    with pytest.raises(ImplausibleError, match="the outputs of the technique do not follow its inputs"):
        deployed(bench, deploy)


def test_1_an_answer_that_is_kept_by_content_is_none_either(bench):
    """The same bytes, the same answer: all rounds but the first serve nobody."""

    def deploy(network):
        kept = {}

        def call(inputs):
            key = inputs.numpy().tobytes()
            if key not in kept:
                time.sleep(2e-3)  # as if the network were not as small as here
                kept[key] = network(inputs)
            return kept[key]

        return call

    with pytest.raises(
        ImplausibleError, match="technique is at least 2 times as fast on inputs that it has been given before"
    ):
        deployed(bench, deploy)


def test_2_inputs_that_are_changed_in_place_are_not_what_is_timed(bench):
    """Every call makes the next one's batch darker."""

    def deploy(network):
        return lambda inputs: network(inputs.mul_(0.999))

    with pytest.raises(ImplausibleError, match="the technique changes the inputs that it is given"):
        deployed(bench, deploy)


def test_3_work_that_another_thread_does_is_noticed(bench):
    """Two calls' worth of products run beside the clock, in a thread that never waits."""
    stop = threading.Event()

    def toil():
        one = torch.randn(400, 400)
        while not stop.is_set():
            one @ one

    def deploy(network):
        threading.Thread(target=toil, daemon=True).start()
        return network

    try:
        with pytest.raises(ImplausibleError, match="s of work went to other threads while halves-attack-cpu was timed"):
            deployed(bench, deploy)
    finally:
        stop.set()


def test_4_an_answer_that_is_yet_to_be_computed_is_none(bench):
    """An object that computes when somebody looks; even quality refuses it."""

    class Later:
        def __init__(self, network, inputs):
            self.ask = lambda: network(inputs)

    with pytest.raises(SuiteError, match="Later"):
        deployed(bench, lambda network: lambda inputs: Later(network, inputs))


def test_5_swapped_arms_answer_like_the_other_side(bench, monkeypatch):
    """A harness that mixes up its sides: each is held against the network whose quality was tested."""
    sides = bench_module.serving_sides

    def swapped(base, technique, *, is_baseline):
        found = sides(base, technique, is_baseline=is_baseline)
        return {**found, BASE: found[TECHNIQUE], TECHNIQUE: found[BASE]}

    monkeypatch.setattr(bench_module, "serving_sides", swapped)
    case = tiny.case_of(bench.registry, "halved(epochs=1)")
    with pytest.raises(ImplausibleError, match="the baseline answer otherwise than the network whose outputs were"):
        bench.measure(case, "speed")


def test_6_a_clock_that_was_replaced_disagrees_with_another(bench, monkeypatch):
    """Half as fast: everything would take half as long."""
    monkeypatch.setitem(timing.sample.__kwdefaults__, "clock", lambda: time.perf_counter() / 2)
    with pytest.raises(timing.ClockError, match="the clock says"):
        bench.measure(tiny.case_of(bench.registry, "wrapped"), "speed")


def test_7_half_of_the_batch_is_not_the_batch(bench):
    """The second half gets the first half's answers."""

    def deploy(network):
        def call(inputs):
            half = network(inputs[: max(1, len(inputs) // 2)])
            return torch.cat([half, half])[: len(inputs)]

        return call

    with pytest.raises(ImplausibleError, match="serves a part of the batch"):
        deployed(bench, deploy)


def test_8_a_batch_of_another_size_is_told(bench, monkeypatch):
    """Quality is tested on whole batches; once timing starts only one item is served."""
    calls = []
    monkeypatch.setattr(timing, "_calibrate", lambda plan, _: calls.append(1) or dict.fromkeys(plan.sides, 1))

    def deploy(network):
        return lambda inputs: network(inputs[:1]) if calls else network(inputs)

    with pytest.raises(ImplausibleError, match="got 16 items and answered"):
        deployed(bench, deploy)


def test_9_a_stale_artefact_has_nothing_to_do_with_the_weights(bench):
    """Compiled before the weights were trained: what is served is another network, though its parts are all there."""

    torch.manual_seed(0)
    stale = tiny.Net().eval()
    with pytest.raises(OutputError, match="times the network's own away from them, and no score of halves may excuse"):
        deployed(bench, lambda _: stale)


def test_10_a_finish_that_changes_nothing_is_told(bench):
    """A pruning of nothing has the baseline's accuracy and would pass for a fine one."""

    @bench.registry.technique(slots=("finish",), control="baseline")
    def pruned(plain):
        """Prune, it says."""

        def finish(network, tuner):
            return plain.finish(network, tuner).eval()

        return replace(plain, finish=finish)

    with pytest.raises(ImplausibleError, match="pruned says that it finishes the network, and every weight is"):
        bench.measure(tiny.case_of(bench.registry, "pruned"), "size")
