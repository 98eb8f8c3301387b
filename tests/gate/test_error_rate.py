"""One error rate for a whole run: simulated runs of unchanged code, and what a bar does to one verdict."""
# the expected value stands on the left

from dataclasses import replace
from datetime import date
from statistics import NormalDist, fmean

import numpy as np
import pytest
from expect_samples import MACHINE, expectation, measurement
from hypothesis import given
from hypothesis import strategies as st

from suite.core.records import VerdictKind
from suite.gate.error_rate import RUN_ERROR, bar, spared
from suite.gate.judge import judge
from suite.gate.power import detectable

RUNS = {f"2026-11-{day}T10:00": value for day, value in ((20, 1.9), (21, 2.0), (22, 2.1))}


def entry(**changes):
    return expectation(
        "speedup", 2.0, **{"level": MACHINE, "low": 1.69, "noise": 0.005, "seen": RUNS, "processes": 30, **changes}
    )


def measured(value, half=0.001, **changes):
    return measurement("speedup", value, low=value * (1 - half), high=value * (1 + half), **changes)


def judged(value, timings, **changes):
    return judge(measured(value, **changes), entry(), quiet=True, today=date(2026, 11, 26), timings=timings)


def chance(timings, runs, hours, rng):
    """That a run of ``timings`` on unchanged code has one below its bar, which was made of that many earlier runs.

    Processes differ by 1 % and hours by ``hours``; the first run had five processes, the others one. The bound stands
    where a recording puts it.
    """
    below = []
    for _ in range(1500):
        at = rng.normal(0, hours, runs)
        first = at[0] + rng.normal(0, 0.01, 5)
        seen = [float(first.mean()), *(at[1:] + rng.normal(0, 0.01, runs - 1))]
        noise = float(first.std(ddof=1))
        known = replace(
            entry(), value=1 + fmean(seen), low=1 + min(seen) - 4 * noise, noise=noise, processes=5,
            seen={f"2026-11-{k + 1:02}T10:00": 1 + value for k, value in enumerate(seen)},
        )  # fmt: skip
        below.append(NormalDist(1.0, float(np.hypot(0.01, hours))).cdf(bar(known, timings)))
    return timings * fmean(below)


@pytest.mark.parametrize("runs", [6, 12])
@pytest.mark.parametrize("timings", [1, 100])
def test_a_run_of_unchanged_code_blocks_a_merge_less_often_than_once_in_200(timings, runs):
    """Before any repeat, and though few values know the spread: here hours differ by half as much as processes."""
    assert chance(timings, runs, 0.005, np.random.default_rng(1)) < RUN_ERROR


def test_hours_that_differ_more_than_processes_are_known_after_several_runs():
    """One recording cannot know of them: the more runs have been added, the nearer is what is promised."""
    rng = np.random.default_rng(2)
    once, thrice, often = (chance(40, runs, 0.02, rng) for runs in (1, 3, 12))
    assert once > thrice > often
    assert often < 3 * RUN_ERROR


@given(st.integers(1, 1000), st.integers(1, 1000))
def test_more_timings_never_raise_the_bar(one, other):
    """And it never lies above the stored bound."""
    few, many = sorted((one, other))
    assert bar(entry(), many) <= bar(entry(), few) <= entry().low


def test_a_ratio_between_the_bar_and_the_bound_is_inconclusive_with_the_way_out():
    """1.65 lies below low = 1.69; of 100 timings each has to lie below 1.49."""
    found = judged(1.65, 100)
    assert VerdictKind.INCONCLUSIVE == found.kind
    assert "with 100 timings in a run the threshold for one false alarm in 200 runs is 1.485; run this" in found.reason


@pytest.mark.parametrize(("value", "timings"), [(1.4, 100), (1.65, 1)])
def test_what_lies_below_the_bar_has_regressed(value, timings):
    """Far away in a large run, or below the bound in a run of that cell alone."""
    assert VerdictKind.REGRESSED == judged(value, timings).kind


def test_what_is_within_the_bound_is_spared_nothing():
    """A pass has no excuse, nor has an interval across the bound; without a bound or an interval there is no bar."""
    assert "" == spared(measured(1.75), entry(), bar(entry(), 100), 100)
    assert "" == spared(measured(1.69, half=0.01), entry(), bar(entry(), 100), 100)
    assert bar(entry(low=None), 100) is None
    assert bar(expectation("throughput", 100.0, low=50.0), 100) is None


def test_only_what_lies_between_the_bar_and_the_bound_is_spared():
    """The bar is inclusive, the bound is not; without a bar, a bound or an interval nothing is spared."""
    assert spared(measured(1.5, half=0.0), entry(), 1.5, 100)
    assert "" == spared(measured(1.49, half=0.0), entry(), 1.5, 100)
    assert "" == spared(measured(1.69, half=0.0), entry(), 1.5, 100)
    assert "" == spared(measured(1.6), entry(), None, 100)
    assert "" == spared(measured(1.6), entry(low=None), 1.5, 100)
    assert "" == spared(measurement("speedup", 1.6), entry(), 1.5, 100)


@pytest.mark.parametrize("limit", [-0.1, 0.0])
def test_a_bar_that_nothing_can_cross_asks_for_more_runs(limit):
    wanted = "the spread between runs is not known yet; add more runs with `suite record FOLDER --drift`"
    assert wanted == spared(measured(1.6), entry(), limit, 100)
    assert spared(measured(1.6), entry(), 0.9, 100).startswith("not counted: with 100 timings")
    assert spared(measured(1.6), entry(), 0.9, 100).endswith("is 0.9; run this cell alone for a sharper test")


def test_a_judgement_on_its_own_is_that_of_one_timing():
    found = judge(measured(1.65), entry(), quiet=True, today=date(2026, 11, 26))
    assert judged(1.65, 1).evidence.threshold == found.evidence.threshold > judged(1.65, 2).evidence.threshold


def test_the_bar_is_that_of_one_timing_where_none_is_judged():
    assert bar(entry(), 1) == bar(entry(), 0)


def test_the_bar_costs_sight():
    """What a run of a hundred timings finds is more than a run of one finds, by the way from bound to bar."""
    one = detectable(measured(2.0), entry(), bar(entry(), 1))
    many = detectable(measured(2.0), entry(), bar(entry(), 100))
    assert pytest.approx((bar(entry(), 1) - bar(entry(), 100)) / 2.0) == many - one
