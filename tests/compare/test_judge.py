"""Verdicts over pairs: what they promise, simulated and as mathematics."""
# the expected value stands on the left

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from suite.compare.judge import RUN_ERROR, Rules, Timing, estimate, first_verdict, holm, p_slower, verdicts

RULES = Rules()
NOISE = 0.004  # of a pair's log ratio: two processes of one network on one core
P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=12)


def timed(generator, slowdown, pairs=4):
    """A timing as `suite.compare.measure.time_all` leaves it, of code that is slower by ``slowdown``."""

    def a_set():
        return list(generator.normal(-math.log1p(slowdown), NOISE, pairs))

    timing = Timing(metric="speed", looked=a_set())
    if first_verdict(timing, RULES) == "undecided":
        timing.looked += a_set()
    if first_verdict(timing, RULES) == "suspected":
        timing.confirmed = a_set()
    return timing


def shares(slowdown, runs=200, cells=1):
    """How often a run of ``cells`` timings has a verdict at all."""
    generator = np.random.default_rng(7)
    said = [set(verdicts([timed(generator, slowdown) for _ in range(cells)], RULES)) for _ in range(runs)]
    return {verdict: sum(verdict in one for one in said) / runs for verdict in ("pass", "regressed", "inconclusive")}


def test_a_matrix_of_unchanged_code_blocks_less_than_once_in_two_hundred_runs():
    """100 runs of 20 timings."""
    assert RUN_ERROR >= shares(0.0, runs=100, cells=20)["regressed"]


def test_unchanged_code_passes():
    """An interval of eight pairs excludes a slowdown of 2 %."""
    assert 0.97 <= shares(0.0)["pass"]


def test_planted_slowdowns_are_found():
    """5 % always, 2 % nearly always."""
    assert 1.0 == shares(0.05)["regressed"]
    assert 0.95 <= shares(0.02)["regressed"]


def test_a_slowdown_beyond_the_margin_never_passes():
    """What is not found is inconclusive."""
    assert 0.01 >= shares(0.03)["pass"]


def test_a_suspicion_that_does_not_come_back_is_inconclusive():
    """Slower in one set of pairs, unchanged in a fresh one."""
    timing = Timing(metric="speed", looked=[-0.05, -0.051, -0.049, -0.05], confirmed=[0.001, -0.001, 0.002, 0.0])
    assert ["inconclusive"] == verdicts([timing], RULES)


def test_an_allowed_slowdown_is_no_regression():
    """5 % slower where 6 % are allowed passes."""
    slower = [-0.05, -0.051, -0.049, -0.05]
    timing = Timing(metric="speed", looked=slower, confirmed=slower)
    assert ["regressed"] == verdicts([timing], RULES)
    assert ["pass"] == verdicts([timing], Rules(allow=0.06))


def test_a_timing_without_pairs_is_inconclusive():
    """A cell too slow for the budget is no pass."""
    assert ["inconclusive"] == verdicts([Timing(metric="speed", trouble="too slow")], RULES)


@given(P_VALUES)
def test_holm_lies_between_bonferroni_and_no_correction(values):
    """It rejects all that Bonferroni rejects, and nothing above the error itself."""
    falls = holm(values, 0.05)
    assert all(fallen for value, fallen in zip(values, falls, strict=True) if value <= 0.05 / len(values))
    assert all(value <= 0.05 for value, fallen in zip(values, falls, strict=True) if fallen)


@given(P_VALUES)
def test_holm_never_rejects_a_larger_p_value_than_one_it_keeps(values):
    """Rejections are the smallest ones."""
    falls = holm(values, 0.05)
    kept = [value for value, fallen in zip(values, falls, strict=True) if not fallen]
    fallen = [value for value, gone in zip(values, falls, strict=True) if gone]
    assert max(fallen, default=0) <= min(kept, default=1)


@given(st.lists(st.floats(-0.1, 0.1), min_size=2, max_size=8), st.floats(0.5, 2))
def test_scaling_the_current_time_scales_ratio_and_interval(logs, factor):
    """A ratio has no unit of its own."""
    before, after = estimate(logs), estimate([x + math.log(factor) for x in logs])
    for name in ("ratio", "low", "high"):
        assert factor * getattr(before, name) == pytest.approx(getattr(after, name), rel=1e-6)


@given(st.lists(st.floats(-0.1, 0.1), min_size=2, max_size=8))
def test_an_interval_excludes_the_bound_exactly_where_the_p_value_is_small(logs):
    """Both are Student's t: half of half a percent a side and look."""
    high = math.log(estimate(logs).high)
    assert p_slower(logs, math.exp(high + 1e-4)) <= 0.0025 + 1e-9
