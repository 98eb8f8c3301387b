"""Techniques that would train many times as long as their control are left out before they train."""
# the expected value stands on the left

import time
from dataclasses import replace
from types import SimpleNamespace

import pytest
import tiny

from suite.bench import measuring, pace
from suite.bench.bench import Bench, Plan
from suite.core.errors import UnavailableError


@pytest.fixture
def bench(monkeypatch):
    monkeypatch.setattr(pace, "LEAST", 0.0)
    monkeypatch.setattr(pace, "SLOW", 2.0)  # a busy machine slows a control of microseconds down
    with Bench(registry=tiny.registry(), device="cpu", plan=Plan(profile="quick", seeds=1, slow=False)) as made:
        yield made


@pytest.fixture
def slow(bench):
    """A technique whose every step waits."""
    trained = []

    @bench.registry.technique(slots=("loss",))
    def waiting(plain):
        def loss(trainee, batch, output):
            trained.append(trainee.epoch)
            time.sleep(0.1)
            return plain.loss(trainee, batch, output)

        return replace(plain, loss=loss)

    return tiny.case_of(bench.registry, "waiting"), trained


def test_a_technique_that_trains_many_times_as_long_is_left_out_after_a_few_steps(bench, slow):
    case, trained = slow
    with pytest.raises(
        UnavailableError, match=r"waiting would train about \d+ times as long as its control here .*run "
    ):
        bench.measure(case, "quality")
    assert len(trained) <= 1 + pace.STEPS
    with pytest.raises(UnavailableError, match="--technique 'waiting' or with --slow"):
        bench.measure(case, "speed")


def test_the_failure_of_a_slow_technique_says_so(bench, slow):
    """The gate has to tell it from a technique that cannot run."""
    run = SimpleNamespace(bench=bench, broken={}, failed={}, options=SimpleNamespace(gates=False, judges=False))
    _, failures = measuring._measured(run, slow[0], "quality")
    (failure,) = failures
    assert ("unavailable", "baseline") == (failure.kind, failure.control)
    assert failure.slow > pace.SLOW


def test_a_short_training_is_never_left_out_whatever_its_factor(bench, slow, monkeypatch):
    """A second of training eats no run."""
    monkeypatch.setattr(pace, "LEAST", 1e6)
    bench.measure(slow[0], "quality")


def test_who_asks_for_it_gets_it(bench, slow):
    bench.plan = replace(bench.plan, slow=True)
    bench.measure(slow[0], "quality")


def test_techniques_that_train_at_the_pace_of_their_control_are_measured(bench, monkeypatch):
    monkeypatch.setattr(pace, "SLOW", 50.0)  # times are of microseconds here
    bench.measure(tiny.case_of(bench.registry, "halved(epochs=1)"), "quality")
    bench.measure(tiny.case_of(bench.registry, "baseline"), "quality")
