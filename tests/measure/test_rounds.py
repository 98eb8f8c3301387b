"""Rounds in which somebody else had the core: dropped, kept or held against the sample."""
# the expected value stands on the left

import itertools

import numpy as np
import pytest
import sampling

from suite.measure.sampler.counters import Usage


class Core:
    """A fake clock with a fake thread on it: a rival takes time slices that the thread's CPU time lacks."""

    def __init__(self):
        self.now = self.cpu = 0.0
        self.forced = self.waited = 0

    def clock(self):
        return self.now

    def counters(self):
        return Usage(forced=self.forced, waited=self.waited, cpu=self.cpu)

    def side(self, seconds, slices=(0.0,)):
        """Calls of ``seconds``; the rival's ``slices`` come on top, call after call."""
        lost = itertools.cycle(slices)

        def call():
            slice_ = next(lost)
            self.now += seconds + slice_
            self.cpu += seconds
            self.forced += slice_ > 0

        return call


@pytest.fixture
def core():
    return Core()


def every(count, seconds=0.004):
    """A slice lost in one of ``count`` calls."""
    return [*[0.0] * (count - 1), seconds]


def run(core, sides, **options):
    more = {"baseline": "baseline", "seconds": 10.0, "seed": 0, "max_rounds": 100, "warmup": 0, **options}
    return sampling.taken(sides, clock=core.clock, **{"counters": core.counters, **more})


def test_a_round_with_a_preempted_turn_is_dropped_and_counted(core):
    """One in ten of each side's turns lost a slice: those rounds go, all others are exact."""
    sides = {"baseline": core.side(0.012, every(10)), "technique": core.side(0.012, every(11))}
    taken = run(core, sides)
    found = taken.ratio("baseline", "technique")
    assert (1.0, 1.0, 1.0) == pytest.approx((found.value, found.low, found.high))
    assert (100, None) == (taken.rounds + taken.dropped, taken.suspect)
    assert 10 <= taken.dropped <= 20
    assert {0.012} == {round(float(second), 9) for values in taken.seconds.values() for second in values}
    assert (taken.rounds, 2) == taken.order.shape
    assert taken.dropped == taken.columns()["dropped"][0]


def test_a_rival_that_takes_every_turn_makes_the_sample_suspect(core):
    """Nothing would be left: all rounds are kept, and the reason says what happened."""
    sides = {"baseline": core.side(0.012, [0.004]), "technique": core.side(0.006, [0.0, 0.004])}
    taken = run(core, sides)
    assert (100, 0) == (taken.rounds, taken.dropped)
    assert taken.suspect == "100 of 100 rounds were preempted: another process uses this core"


def test_a_rival_does_not_keep_the_sampler_waiting_for_clean_rounds_for_ever(core):
    """The budget ends it when a few times the least number of rounds have come."""
    taken = run(
        core,
        {"baseline": core.side(0.012, [0.004]), "technique": core.side(0.012, [0.004])},
        seconds=2,
        max_rounds=2000,
    )
    assert taken.elapsed <= 2.0


def test_a_technique_that_preempts_itself_is_not_excused(core):
    """Its own threads compete for its core, the baseline is left alone: its slow rounds are its speed."""
    taken = run(core, {"baseline": core.side(0.012), "technique": core.side(0.012, [0.012])})
    assert (100, 0, None) == (taken.rounds, taken.dropped, taken.suspect)
    assert pytest.approx(0.5) == taken.ratio("baseline", "technique").value


def test_a_technique_that_preempts_itself_now_and_then_keeps_its_slow_rounds(core):
    """Dropping them would flatter it."""
    taken = run(core, {"baseline": core.side(0.012), "technique": core.side(0.012, every(3, 0.012))})
    assert (100, 0) == (taken.rounds, taken.dropped)


def test_precision_looks_at_undisturbed_rounds_only(core):
    """Exact ones suffice as soon as they fill six blocks; disturbed ones in between do not count."""
    sides = {"baseline": core.side(0.012, every(4)), "technique": core.side(0.012, every(5))}
    taken = run(core, sides, precision=0.001, max_rounds=2000)
    assert 6 == len(np.unique(taken.block))
    assert pytest.approx(5 / 16 * 10, abs=1) == taken.elapsed
    assert taken.dropped > 0


def test_what_does_not_run_on_this_thread_is_not_judged_by_its_counters(core):
    """An accelerator's driver waits; nothing is dropped."""
    sides = {"baseline": core.side(0.012, [0.004]), "technique": core.side(0.012, [0.004])}
    taken = run(core, sides, host_bound=False)
    assert (100, 0, None) == (taken.rounds, taken.dropped, taken.suspect)


def test_a_given_clock_is_not_compared_with_the_systems_counters(core):
    """A simulated second is no second of CPU time."""
    taken = run(core, {"baseline": core.side(0.012), "technique": core.side(0.012)}, counters=None)
    assert (100, 0) == (taken.rounds, taken.dropped)


def test_too_few_undisturbed_rounds_are_said(core):
    """Five of nine are left: no interval, and why."""
    sides = {"baseline": core.side(1.0, every(2, 0.5)), "technique": core.side(1.0, [0.0])}
    taken = run(core, sides, seconds=5, max_rounds=9)
    assert taken.rounds < 8
    assert "more were preempted; an interval needs 8" in taken.suspect
