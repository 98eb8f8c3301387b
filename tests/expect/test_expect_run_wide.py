"""One error rate for a whole run: simulated runs of unchanged code, and what a bar does to one verdict."""
# the expected value stands on the left

from datetime import date

import numpy as np
import pytest
from expect_samples import MACHINE, expectation, measurement
from hypothesis import given
from hypothesis import strategies as st

from suite.expect.judge import judge
from suite.expect.power import detectable
from suite.expect.run_wide import RUN_ERROR, bar, spared
from suite.records import VerdictKind

RUNS = {f"2026-11-{day}T10:00": value for day, value in ((20, 1.9), (21, 2.0), (22, 2.1))}


def entry(**changes):
    return expectation("speedup", 2.0, **{"level": MACHINE, "low": 1.69, "noise": 0.005, "seen": RUNS, **changes})


def measured(value, half=0.001, **changes):
    return measurement("speedup", value, low=value * (1 - half), high=value * (1 + half), **changes)


def judged(value, timings, **changes):
    return judge(measured(value, **changes), entry(), quiet=True, today=date(2026, 11, 26), timings=timings)


@pytest.mark.parametrize("timings", [1, 40, 100])
def test_a_run_of_unchanged_code_blocks_a_merge_less_often_than_once_in_200(timings):
    """20,000 simulated runs, every timing straying by 5 %: by the bound alone it is one in ten of a hundred."""
    rng = np.random.default_rng(1)
    blocked = by_bound = 0
    limit = bar(entry(), timings)
    for _ in range(20):
        values = rng.normal(2.0, 0.1, (1000, timings))
        blocked += np.any(values < limit, axis=1).sum()
        by_bound += np.any(values < entry().low, axis=1).sum()
    assert blocked / 20_000 < RUN_ERROR + 3 * np.sqrt(RUN_ERROR / 20_000)
    assert by_bound / 20_000 > RUN_ERROR or timings == 1


@given(st.integers(1, 1000), st.integers(1, 1000))
def test_more_timings_never_raise_the_bar(one, other):
    """And it never lies above the stored bound."""
    few, many = sorted((one, other))
    assert bar(entry(), many) <= bar(entry(), few) <= entry().low


def test_a_ratio_between_the_bar_and_the_bound_is_inconclusive_with_the_way_out():
    """1.68 lies below low = 1.69; of 100 timings each has to lie below 1.61."""
    found = judged(1.68, 100)
    assert VerdictKind.INCONCLUSIVE == found.kind
    assert "where 100 timings are judged, which have to lie below 1.611; run this cell alone" in found.reason


@pytest.mark.parametrize(("value", "timings"), [(1.6, 100), (1.68, 1)])
def test_what_lies_below_the_bar_has_regressed(value, timings):
    """Far away in a large run, or below the bound in a run of that cell alone."""
    assert VerdictKind.REGRESSED == judged(value, timings).kind


def test_what_is_within_the_bound_is_spared_nothing():
    """A pass has no excuse, nor has an interval across the bound; without a bound or an interval there is no bar."""
    assert "" == spared(measured(1.75), entry(), 100)
    assert "" == spared(measured(1.69, half=0.01), entry(), 100)
    assert bar(entry(low=None), 100) is None
    assert bar(expectation("throughput", 100.0, low=50.0), 100) is None


def test_the_bar_costs_sight():
    """What a run of a hundred timings finds is more than a run of one finds, by the way from bound to bar."""
    one = detectable(measured(2.0), entry(), bar(entry(), 1))
    many = detectable(measured(2.0), entry(), bar(entry(), 100))
    assert pytest.approx((entry().low - bar(entry(), 100)) / 2.0) == many - one
