"""The paired sampler under a clock that only its sides move: what it measures, in which order, and when it stops."""

# the expected value stands on the left

from __future__ import annotations

import cProfile
import gc
import itertools
import math
import pstats
import random
import sys
import time

import numpy as np
import pytest
import sampling
from hypothesis import given, settings
from hypothesis import strategies as st

from suite.core import phases
from suite.core.errors import SuiteError, UsageError
from suite.core.stats.sequential import DecisionBound, confidence_at
from suite.measure.sampler import timing
from suite.measure.sampler.samples import ratios_of
from suite.measure.sampler.timing import Sample, latency

BRIEF = {"baseline": "baseline", "seconds": 1.0, "seed": 0, "min_round_seconds": 2e-3}  # no scheduler: short turns do


class Clock:
    """Time that passes only when a side makes it pass; ``calls`` names the sides in the order of their calls."""

    def __init__(self, tick=0.0):
        self.now, self.tick, self.calls = 0.0, tick, []

    def __call__(self):
        return self.now // self.tick * self.tick if self.tick else self.now

    def side(self, name, *seconds):
        durations = itertools.cycle(seconds)

        def call():
            self.calls.append(name)
            self.now += next(durations)

        return call


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    """A fake clock stands still between calls; do not wait for it to move."""
    monkeypatch.setattr(timing, "MOST_READINGS", 50)


@pytest.fixture
def two(clock):
    """A baseline of 4 ms and a technique of 2.5 ms."""
    return {"baseline": clock.side("baseline", 0.004), "technique": clock.side("technique", 0.0025)}


def run(sides, clock, **options):
    return sampling.taken(sides, **{**BRIEF, "clock": clock, **options})


def first_of_rounds(taken):
    return [int(row[0]) for row in taken.order]


# -- what is measured --------------------------------------------------------------------------------------------


def test_both_copies_of_the_baseline_stand_for_it(two, clock):
    """Turns of 4 and 9 ms of one network are 6 ms of it; the copies among themselves are what each took."""
    taken = run({**two, "copy": clock.side("copy", 0.009)}, clock, null="copy")
    assert pytest.approx(6 / 2.5) == taken.ratio("baseline", "technique").value
    assert pytest.approx(2.5 / 6) == taken.ratio("technique", "copy").value
    assert pytest.approx(4 / 9) == taken.ratio("baseline", "copy").value


def test_two_turns_of_the_baseline_know_a_ratio_better_than_one():
    """Of independent noise a quarter of the variance goes: three turns are left of four."""
    draw, clock = np.random.default_rng(0), Clock()

    def noisy():
        clock.now += 0.004 * math.exp(0.03 * draw.standard_normal())

    found = run({"baseline": noisy, "copy": noisy, "technique": noisy}, clock, null="copy", seconds=20.0)
    logs = {side: np.log(ratios_of(found.seconds, "baseline", side, found.copies)) for side in ("technique", "copy")}
    assert pytest.approx(math.sqrt(3 / 4), rel=0.05) == logs["technique"].std() / logs["copy"].std()


def test_the_ratio_of_exact_durations_is_recovered(two, clock):
    """4 ms over 2.5 ms is 1.6, with an interval of no width."""
    found = run(two, clock).ratio("baseline", "technique")
    assert pytest.approx((1.6, 1.6, 1.6)) == (found.value, found.low, found.high)


@settings(max_examples=10)
@given(slow=st.floats(1e-6, 0.05), fast=st.floats(1e-6, 0.05), seed=st.integers(0, 999))
def test_any_ratio_is_recovered_whatever_the_batching(slow, fast, seed):
    """Repeats differ by side, the ratio is per call."""
    clock = Clock()
    sides = {"baseline": clock.side("a", slow), "technique": clock.side("b", fast)}
    taken = run(sides, clock, seed=seed, seconds=0.5)
    assert slow / fast == pytest.approx(taken.ratio("baseline", "technique").value, rel=1e-6)


def test_a_drift_that_hits_both_sides_cancels(clock):
    """A machine that slows down threefold during the sample leaves the ratio alone."""
    slowing = [1 + i / 50 for i in range(100)]
    sides = {
        "baseline": clock.side("a", *(0.004 * s for s in slowing)),
        "technique": clock.side("b", *(0.002 * s for s in slowing)),
    }
    taken = run(sides, clock, warmup=0, max_rounds=90, seconds=10)
    assert pytest.approx(2.0, rel=0.01) == taken.ratio("baseline", "technique").value


def test_three_sides_are_measured_in_the_same_rounds(two, clock):
    """Eager channels_last can ride along with baseline and technique."""
    taken = run({**two, "third": clock.side("third", 0.008)}, clock)
    assert (0.5, 2.0) == pytest.approx((taken.ratio("baseline", "third").value, taken.ratio("third", "baseline").value))
    assert taken.order.shape == (taken.rounds, 3)


def test_the_median_ratio_has_its_order_statistics_as_interval(clock):
    """Rounds 1..9 against 1: at 99 % and n = 9 the whole range."""
    durations = [d / 100 for d in (1, 5, 9, 2, 8, 3, 7, 4, 6)]
    sides = {"baseline": clock.side("a", 0.01, *durations), "technique": clock.side("b", 0.01)}
    taken = run(sides, clock, warmup=0, max_rounds=9, seconds=10)  # calibration takes the first 0.01
    found = taken.ratio("baseline", "technique", 0.99)
    assert pytest.approx((5, 1, 9, 9)) == (found.value, found.low, found.high, found.n)


def test_an_unknown_side_is_refused_with_the_nearest_name(two, clock):
    """A typing error in a side's name is not a KeyError."""
    with pytest.raises(UsageError, match="unknown arm 'technik'; did you mean technique"):
        run(two, clock).ratio("baseline", "technik")


def test_columns_hold_every_raw_figure(two, clock):
    """Seconds per side, the order, turn after turn, and what it takes to rebuild the turns, for storage."""
    taken = run(two, clock, min_round_seconds=0.01)
    columns = taken.columns()
    sides = ["baseline", "technique"]
    assert [f"seconds_{side}" for side in sides] == list(columns)[:2]
    assert ["order", "block", *(f"repeats_{side}" for side in sides), "dropped"] == list(columns)[2:]
    rounds = taken.rounds
    assert [rounds, rounds, 2 * rounds, rounds, 1, 1, 1] == [len(column) for column in columns.values()]
    assert [3, 4, 0] == [int(columns[name][0]) for name in list(columns)[4:]]
    assert np.array_equal(taken.order, columns["order"].reshape(-1, 2))


# -- blocks ---------------------------------------------------------------------------------------------------------


def test_a_budget_holds_sixteen_blocks_and_all_sides_move_before_each_but_the_first(two, clock):
    """Each is a sixteenth of the budget; after a move every side is called once, outside of any round."""
    moves = []
    taken = run(two, clock, move=lambda: moves.append(len(clock.calls)))
    assert 15 == len(moves)
    assert [*range(16)] == list(np.unique(taken.block))
    assert all({"baseline", "technique"} == set(clock.calls[at : at + 2]) for at in moves)
    assert max(np.bincount(taken.block)) - min(np.bincount(taken.block)[:-1]) <= 1


def test_a_block_of_long_rounds_holds_what_fits_and_warms_nothing(clock):
    """Ten rounds in a second still make six blocks or more; one more call of each side would cost a whole round."""
    sides = {"baseline": clock.side("a", 0.05), "technique": clock.side("b", 0.05)}
    taken = run(sides, clock, move=lambda: None, warmup=0)
    assert len(np.unique(taken.block)) >= 5
    calibration = len(clock.calls) - 2 * taken.rounds
    clock.calls.clear()
    still = run(sides, clock, warmup=0)
    assert calibration == len(clock.calls) - 2 * still.rounds


def test_a_place_that_is_slower_widens_the_interval(clock):
    """Rounds of one place agree to the last digit; what the next place is like, only blocks tell."""
    places = itertools.cycle((1.0, 1.04, 0.98, 1.02))
    at = {"factor": 1.0}

    def technique():
        clock.now += 0.002 * at["factor"]

    def move():
        at["factor"] = next(places)

    taken = run({"baseline": clock.side("baseline", 0.002), "technique": technique}, clock, move=move)
    found = taken.ratio("baseline", "technique")
    assert found.high - found.low > 0.03


# -- order --------------------------------------------------------------------------------------------------------


def test_both_orders_occur_about_equally_often(two, clock):
    """The order is thrown anew for each round: both within four standard deviations of a half."""
    firsts = first_of_rounds(run(two, clock, max_rounds=400, seconds=60))
    assert 160 <= sum(firsts) <= 240


def test_the_recorded_order_is_the_order_of_the_calls(two, clock):
    """What is stored is what happened."""
    taken = run(two, clock, warmup=0, max_rounds=20)
    names = list(two)
    timed = clock.calls[-40:]  # after those that find the repeats
    assert timed == [names[index] for row in taken.order for index in row]


def test_the_same_seed_gives_the_same_order_and_another_seed_another(two, clock):
    """Orders are reproducible."""
    orders = [run(two, clock, seed=seed).order.tolist() for seed in (1, 1, 2)]
    assert orders[0] == orders[1] != orders[2]


def test_the_seed_leaves_the_global_generator_alone(two, clock):
    """A sample in the middle of a seeded program changes nothing else."""
    state = random.getstate()
    run(two, clock)
    assert state == random.getstate()


# -- batching -----------------------------------------------------------------------------------------------------


def test_a_short_call_is_repeated_until_its_turn_is_long_enough(clock):
    """10 us calls fill 2 ms turns; the side that is long enough is called once a turn."""
    sides = {"baseline": clock.side("a", 0.005), "technique": clock.side("b", 1e-5)}
    taken = run(sides, clock)
    assert taken.repeats["baseline"] == 1
    assert 200 <= taken.repeats["technique"] <= 300
    assert pytest.approx(1e-5) == np.median(taken.seconds["technique"])


def test_a_coarse_timer_makes_turns_of_a_thousand_ticks(monkeypatch):
    """Calls far below the resolution read as 0 s at first; they are batched to 1000 ticks nevertheless."""
    clock = Clock(tick=1e-4)
    monkeypatch.setattr(timing, "resolution", lambda _: clock.tick)
    sides = {"baseline": clock.side("a", 2e-5), "technique": clock.side("b", 1e-5)}
    taken = run(sides, clock, seconds=3)
    assert taken.repeats["technique"] * 1e-5 >= 1000 * clock.tick
    assert pytest.approx(2.0, rel=0.01) == taken.ratio("baseline", "technique").value
    assert taken.suspect is None


def test_the_resolution_is_the_smallest_step_that_was_seen():
    """Readings that repeat are skipped."""
    readings = iter([0.0, 0.0, 0.5, 0.5, 2.0, 2.25, *[2.25] * 100])
    assert timing.resolution(lambda: next(readings)) == 0.25


def test_a_timer_that_stands_still_has_no_resolution(clock):
    """A fake or very coarse timer does not hang the sampler."""
    assert timing.resolution(clock) == 0


def test_a_turn_outlasts_the_time_slices_of_a_scheduler_where_nothing_else_is_said(two, clock):
    """4 ms and 2.5 ms: three and four calls make 10 ms and more."""
    taken = sampling.taken(two, baseline="baseline", seconds=1, seed=0, clock=clock)
    assert {"baseline": 3, "technique": 4} == taken.repeats


def test_a_call_is_judged_by_the_least_of_several_tries(clock):
    """One interruption while the repeats are found does not halve the turns of a side for good."""
    sides = {"baseline": clock.side("a", 0.012, *[0.004] * 5000), "technique": clock.side("b", 0.004)}
    assert {"baseline": 3, "technique": 3} == run(sides, clock, warmup=0, min_round_seconds=0.01).repeats


@settings(max_examples=10)
@given(cost=st.floats(1e-5, 0.009), noise=st.lists(st.floats(1, 1.04), min_size=2, max_size=40))
def test_two_copies_are_repeated_equally_often_whatever_the_noise(cost, noise):
    """Turns of different length meet different numbers of interruptions."""
    clock = Clock()
    sides = {"baseline": clock.side("a", *(cost * n for n in noise)), "null": clock.side("b", cost)}
    repeats = run(sides, clock, min_round_seconds=0.01, max_rounds=10).repeats
    assert repeats["baseline"] == repeats["null"]


def test_a_very_slow_call_is_not_tried_again_to_find_its_repeats(clock):
    """One call says that one is enough."""
    sides = {"baseline": clock.side("a", 3.0), "technique": clock.side("b", 3.0)}
    run(sides, clock, warmup=0, seconds=1e-3)
    assert len(clock.calls) == 2 + 2


# -- stopping -----------------------------------------------------------------------------------------------------


def test_the_budget_is_used_and_not_overdrawn(two, clock):
    """Rounds of 6.5 ms in a second: 153, and not one more."""
    taken = run(two, clock)
    assert taken.rounds in (152, 153)
    assert taken.elapsed <= 1.0


def test_max_rounds_ends_a_long_budget(two, clock):
    """The cap holds whatever the budget."""
    assert run(two, clock, seconds=1e6, max_rounds=30).rounds == 30


def test_precision_ends_the_sample_as_soon_as_the_interval_is_narrow(two, clock):
    """Exact repeats are precise at once, but of one block, at one place: six are the least."""
    taken = run(two, clock, precision=0.01)
    assert 6 == len(np.unique(taken.block))
    assert pytest.approx(5 / 16, abs=0.1) == taken.elapsed


def test_noise_needs_more_rounds_for_the_same_precision(clock):
    """The stop follows the interval: 5 % noise is not known to 1 % at once, but before the budget ends."""
    noise = np.random.default_rng(0).normal(1, 0.05, 5000)
    sides = {"baseline": clock.side("a", *(0.004 * noise)), "technique": clock.side("b", 0.004)}
    taken = run(sides, clock, precision=0.01, seconds=10)
    found = taken.ratio("baseline", "technique", 0.99)
    assert 6 <= len(np.unique(taken.block))
    assert taken.elapsed < 9
    assert (found.high - found.low) / 2 <= 0.01 * found.value


def test_precision_waits_for_the_noisiest_side(two, clock):
    """All sides must be known to the precision, not just one."""
    noise = np.random.default_rng(0).normal(1, 0.1, 5000)
    noisy = {**two, "noisy": clock.side("n", *(0.004 * noise))}
    assert run(noisy, clock, precision=0.01, seconds=100).rounds > 100


def test_a_restless_machine_is_given_more_time_than_planned(clock):
    """Half a second does not tell to 3 %; what it takes stays within four times the budget."""
    noise = np.random.default_rng(0).normal(1, 0.1, 5000)
    sides = {"baseline": clock.side("a", *(0.004 * noise)), "technique": clock.side("b", 0.004)}
    taken = run(sides, clock, tolerance=0.03, seconds=0.5, warmup=0)
    found = taken.ratio("baseline", "technique", 0.99)
    assert 0.5 < taken.elapsed < 2
    assert (found.high - found.low) / 2 <= 0.03 * found.value
    assert 1.5 < run(sides, clock, tolerance=0.0001, seconds=0.5, warmup=0).elapsed <= 2


def test_a_still_machine_is_given_none(two, clock):
    """Its interval is within the tolerance when the budget ends."""
    assert run(two, clock, tolerance=0.01).rounds == run(two, clock).rounds


def test_what_the_ratio_says_never_ends_a_sample(clock):
    """Noise alone decides: scaling one side by ten leaves the number of rounds as it is."""
    noise = np.random.default_rng(0).normal(1, 0.05, 5000)
    rounds = []
    for factor in (1, 10):
        sides = {"baseline": clock.side("a", *(0.01 * noise)), "technique": clock.side("b", 0.01 * factor)}
        rounds.append(run(sides, clock, precision=0.01, seconds=1e4, warmup=0).rounds)
    assert rounds[0] == rounds[1]


def deciding(low):
    return DecisionBound(numerator="baseline", denominator="technique", bounds=(low,))


def test_a_sample_grows_while_its_interval_holds_the_bound(clock):
    """A ratio of 0.9 or 1.1 is never told from 1.0: four budgets, and the level of the last look."""
    sides = {"baseline": clock.side("baseline", 0.009, 0.011), "technique": clock.side("technique", 0.01)}
    taken = run(sides, clock, decisions=(deciding(1.0),))
    assert pytest.approx(4.0, abs=0.1) == taken.elapsed
    assert confidence_at(2, 0.99) == taken.confidence == taken.ratio("baseline", "technique").confidence


def test_a_sample_ends_at_its_budget_where_the_bound_is_cleared(clock):
    """The same ratio against a bound of 0.8: one look, at one budget."""
    sides = {"baseline": clock.side("baseline", 0.009, 0.011), "technique": clock.side("technique", 0.01)}
    taken = run(sides, clock, decisions=(deciding(0.8),))
    assert pytest.approx(1.0, abs=0.05) == taken.elapsed
    assert confidence_at(0, 0.99) == taken.confidence


def test_a_sample_of_two_bounds_grows_for_the_undecided_one(clock):
    """Two sides against the baseline, one of them on its bound."""
    sides = {
        "baseline": clock.side("baseline", 0.009, 0.011),
        "technique": clock.side("technique", 0.01),
        "other": clock.side("other", 0.005),
    }
    far = DecisionBound(numerator="baseline", denominator="other", bounds=(1.0,))
    assert pytest.approx(4.0, abs=0.1) == run(sides, clock, decisions=(far, deciding(1.0))).elapsed


def test_what_is_precise_and_clears_its_bound_ends_at_once(two, clock):
    """An exact ratio needs no more than the blocks that hold an interval."""
    taken = run(two, clock, precision=0.01, decisions=(deciding(1.59),))
    assert 6 == len(np.unique(taken.block))


def test_a_bound_of_an_unknown_arm_is_refused(two, clock):
    """Bounds of a side that nobody times would never be decided."""
    with pytest.raises(UsageError, match="unknown arm 'third'"):
        run(two, clock, decisions=(DecisionBound(numerator="third", denominator="baseline", bounds=(1.0,)),))


def test_a_budget_below_the_least_rounds_is_overdrawn_up_to_them(clock):
    """0.2 s rounds in 0.5 s: goes on to the 8 rounds that an interval needs."""
    taken = run({"baseline": clock.side("a", 0.1), "technique": clock.side("b", 0.1)}, clock, seconds=0.5)
    assert (8, None) == (taken.rounds, taken.suspect)


def test_four_times_the_budget_is_the_end_and_makes_the_sample_suspect(clock):
    """1 s rounds in 1 s: four rounds, no interval, and the reason says so."""
    taken = run({"baseline": clock.side("a", 0.5), "technique": clock.side("b", 0.5)}, clock)
    assert taken.rounds == 4
    assert taken.suspect.startswith("only 4 rounds fitted into 4 s")
    found = taken.ratio("baseline", "technique")
    assert (1.0, None, None, 4) == (found.value, found.low, found.high, found.n)


def test_one_round_is_run_however_long_it_takes(clock):
    """There is a value to show even where nothing fits."""
    taken = run({"baseline": clock.side("a", 30), "technique": clock.side("b", 10)}, clock)
    assert (1, 3.0) == (taken.rounds, taken.ratio("baseline", "technique").value)


# -- suspicion ----------------------------------------------------------------------------------------------------


def test_a_timer_that_goes_backwards_costs_the_round_and_is_reported(clock):
    """One negative duration among many: the rest stands, the sample is suspect."""
    sides = {
        "baseline": clock.side("a", *[0.004] * 10, -0.5, *[0.004] * 500),
        "technique": clock.side("b", 0.002),
    }
    taken = run(sides, clock, max_rounds=100, warmup=0)
    assert taken.rounds == 99
    assert taken.suspect == "the timer went backwards"
    assert pytest.approx(2.0) == taken.ratio("baseline", "technique").value


def test_a_timer_that_always_goes_backwards_ends_and_has_no_ratio(clock, monkeypatch):
    """No endless loop, no made-up number."""
    monkeypatch.setattr(timing, "MOST_REPEATS", 100)
    taken = run({"baseline": clock.side("a", -0.1), "technique": clock.side("b", 0.01)}, clock, max_rounds=20)
    assert taken.rounds == 0
    with pytest.raises(SuiteError, match="the timer went backwards"):
        taken.ratio("baseline", "technique")


def test_a_timer_that_never_moves_ends_and_is_reported(clock, monkeypatch):
    """A frozen clock is found out after a bounded number of calls."""
    monkeypatch.setattr(timing, "MOST_REPEATS", 100)
    taken = run({"baseline": clock.side("a", 0.0), "technique": clock.side("b", 0.01)}, clock, max_rounds=20)
    assert "the timer did not advance during a turn" in taken.suspect


def faulting(monkeypatch, clock, name, faults=3300):
    """A side of 4 ms whose every call faults."""
    call = clock.side(name, 0.004)

    def fault():
        faulted["count"] += faults
        call()

    faulted = {"count": 0}
    monkeypatch.setattr(timing, "minor_faults", lambda: faulted["count"])
    return fault


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not count page faults")
def test_page_faults_of_the_baseline_make_the_sample_suspect(clock, monkeypatch):
    """3,300 faults a call are the mark of the default allocator."""
    taken = run({"baseline": faulting(monkeypatch, clock, "a"), "technique": clock.side("b", 0.002)}, clock)
    assert {"baseline": 3300, "technique": 0} == taken.faults
    assert taken.suspect == "3300 minor page faults a call: start it in a quiet process"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not count page faults")
def test_a_techniques_own_page_faults_are_no_excuse(clock, monkeypatch):
    """It is slow because it faults: counted, and not suspect."""
    taken = run({"baseline": clock.side("a", 0.002), "technique": faulting(monkeypatch, clock, "b")}, clock)
    assert ({"baseline": 0, "technique": 3300}, None) == (taken.faults, taken.suspect)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not count page faults")
def test_page_faults_of_the_baselines_copy_count_like_its_own(clock, monkeypatch):
    """The null arm is a witness of the machine too."""
    sides = {"baseline": clock.side("a", 0.004), "null": faulting(monkeypatch, clock, "n")}
    assert "page faults" in run(sides, clock, null="null").suspect


def test_two_copies_of_the_baseline_that_differ_make_the_sample_suspect(two, clock):
    """The run's own error is above what is tolerated; which figure is right nobody knows."""
    sides = {**two, "null": clock.side("n", 0.005)}
    assert run(sides, clock, null="null").suspect == "two copies of the baseline differ by -20.0% [0.800, 0.800]"
    assert run(sides, clock).suspect is None


@pytest.mark.parametrize(
    ("seconds", "is_suspect"), [(0.00406, False), (0.0041, True), (0.00393, False), (0.0039, True)]
)
def test_copies_may_differ_by_the_tolerance(two, clock, seconds, is_suspect):
    """2 % either way is let pass; an interval that reaches into it too."""
    taken = run({**two, "null": clock.side("n", seconds)}, clock, null="null")
    assert is_suspect == bool(taken.suspect)


def test_copies_that_are_noisy_do_not_differ(two, clock):
    """Only an interval that lies outside the tolerance as a whole speaks."""
    noise = np.random.default_rng(0).normal(1.03, 0.1, 5000)
    assert run({**two, "null": clock.side("n", *(0.004 * noise))}, clock, null="null").suspect is None


# -- equal treatment ----------------------------------------------------------------------------------------------


def test_garbage_collection_and_tracing_are_off_inside_and_back_after(clock):
    """A tracer or a collection in one side's turn would be that side's loss."""
    seen = set()

    def look():
        seen.add((gc.isenabled(), sys.gettrace() is None, sys.getprofile() is None))
        clock.now += 0.01

    before = sys.gettrace(), sys.getprofile()
    sys.setprofile(lambda *_: None)
    try:
        run({"baseline": look, "technique": look}, clock, warmup=0)
        assert sys.getprofile() is not None
    finally:
        sys.setprofile(before[1])
    assert {(False, True, True)} == seen
    assert gc.isenabled()
    assert before[0] is sys.gettrace()


def test_cprofile_is_off_inside_and_counts_again_after(clock):
    """It is an object that is switched on, no function that `sys.setprofile` takes."""

    def advance():
        clock.now += 0.01

    with cProfile.Profile() as profiler:
        run({"baseline": advance, "technique": advance}, clock, warmup=0)
        abs(-1)
    names = {name for _, _, name in pstats.Stats(profiler).stats}
    assert "<built-in method builtins.abs>" in names
    assert "advance" not in names


def test_garbage_collection_and_tracing_come_back_after_an_error(clock):
    """A side that fails does not leave the process without its collector."""
    calls = itertools.count()

    def fail_later():
        clock.now += 0.01
        if next(calls) > 5:
            raise RuntimeError

    def trace(*_):
        return None

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        with pytest.raises(RuntimeError):
            run({"baseline": fail_later, "technique": fail_later}, clock)
        restored = sys.gettrace()
    finally:
        sys.settrace(before)
    assert restored is trace
    assert gc.isenabled()


def test_a_collector_that_was_off_stays_off(two, clock):
    """The sampler restores, it does not decide."""
    gc.disable()
    try:
        run(two, clock)
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_the_accelerator_is_waited_for_inside_the_clock(clock):
    """A launch returns at once; the time is in the wait."""
    pending = []

    def synchronize():
        clock.now += sum(pending)
        pending.clear()

    sides = {"baseline": lambda: pending.append(0.006), "technique": lambda: pending.append(0.003)}
    found = run(sides, clock, synchronize=synchronize).ratio("baseline", "technique")
    assert pytest.approx(2.0) == found.value


def test_a_side_is_reset_before_each_of_its_turns_and_outside_the_clock(two, clock):
    """Weights go back and flags are set before anything is timed; what that takes is nobody's time."""

    def reset():
        clock.calls.append("reset")
        clock.now += 0.1

    taken = run(two, clock, reset={"technique": reset}, seconds=10, max_rounds=20)
    before = [a for a, b in itertools.pairwise(clock.calls) if b == "technique"]
    assert {"reset"} == set(before)
    assert clock.calls.count("technique") == clock.calls.count("reset") > 20
    assert pytest.approx(1.6) == taken.ratio("baseline", "technique").value


def test_a_turn_of_several_calls_is_reset_once(clock):
    """The unit is the turn."""
    sides = {"baseline": clock.side("a", 0.004), "technique": clock.side("b", 0.001)}
    run(sides, clock, reset={"technique": clock.side("reset", 0.0)}, warmup=0, max_rounds=8)
    assert ["reset", "b", "b"] == clock.calls[-4:][clock.calls[-4:].index("reset") :][:3]


def test_sampling_counts_as_timing():
    """The run's account of time knows the sampler."""
    phases.reset()
    sampling.taken({"a": lambda: None, "b": lambda: None}, baseline="a", seconds=0.02, seed=0)
    assert phases.totals()["timing"] > 0.9 * phases.elapsed()


def test_identical_calls_under_the_real_clock_give_a_sample():
    """The real thing: rounds, repeats and a finite interval around the median; how long it took is not asserted."""
    work = np.random.default_rng(0).random(2000)
    taken = sampling.taken(
        {"a": work.sort, "b": work.sort}, baseline="a", seconds=10.0, seed=0, clock=time.perf_counter, max_rounds=30
    )
    assert isinstance(taken, Sample)
    assert min(taken.repeats.values()) > 1
    found = taken.ratio("a", "b")
    assert found.low <= found.value <= found.high


# -- refused arguments --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sides", "options", "problem"),
    [
        ({"baseline": int}, {}, "at least two arms, got baseline"),
        ({"baseline": int, "b": int}, {"baseline": "base"}, "unknown arm 'base'; did you mean baseline"),
        ({"baseline": int, "b": int}, {"max_rounds": 7}, "max_rounds=7 holds no 0.99 interval; allow at least 8"),
        ({"baseline": int, "b": int}, {"seconds": 0}, "seconds=0"),
        ({"baseline": int, "null": int}, {"null": "nul"}, "unknown arm 'nul'; did you mean null"),
        ({"baseline": int, "b": int}, {"reset": {"c": int}}, "unknown arm 'c'"),
    ],
)
def test_arguments_that_cannot_be_measured_with_are_refused(clock, sides, options, problem):
    """The message names the value and what would do."""
    with pytest.raises(UsageError, match=problem):
        run(sides, clock, **options)


# -- latency ------------------------------------------------------------------------------------------------------


def test_latencies_are_those_of_single_calls(clock):
    """Every call is one figure, warm-up aside."""
    taken = latency(clock.side("a", 9, 9, 9, 0.1, 0.2), count=12, seconds=100, clock=clock)
    assert [0.1, 0.2, 9, 9, 9] == pytest.approx(taken[:5].tolist())
    assert len(taken) == 12


def test_latency_stops_at_its_budget_but_not_before_ten_calls(clock):
    """A slow call still gives ten figures; a fast one ends with the budget."""
    assert len(latency(clock.side("slow", 5.0), seconds=1, clock=clock)) == 10
    assert len(latency(clock.side("fast", 0.0625), seconds=1, clock=clock)) == 16


def test_latency_keeps_the_collector_away_and_brings_it_back(clock):
    """Collected before, off during, back after: as in `sample`."""
    seen = set()

    def look():
        seen.add(gc.isenabled())
        clock.now += 0.01

    latency(look, count=20, clock=clock, warmup=0)
    assert ({False}, True) == (seen, gc.isenabled())


def test_a_latency_below_zero_is_dropped(clock):
    """A timer that goes backwards gives no figure."""
    taken = latency(clock.side("a", *[0.1] * 5, -3.0, *[0.1] * 9), count=15, seconds=100, warmup=0, clock=clock)
    assert [0.1] * 14 == pytest.approx(taken.tolist())


def test_fewer_latencies_than_ten_may_be_asked_for(clock):
    """One call is enough to plan with, where ten would take minutes."""
    assert 1 == len(latency(clock.side("slow", 5.0), count=1, seconds=1e-9, warmup=1, clock=clock))
