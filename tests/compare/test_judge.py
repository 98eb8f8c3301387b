"""Verdicts over pairs: what they promise, simulated and as mathematics."""
# the expected value stands on the left

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from suite.compare import table
from suite.compare.judge import (
    RUN_ERROR,
    Rules,
    SpeedEstimate,
    Timing,
    estimate,
    first_verdict,
    p_slower,
    p_value,
    pairs_needed,
    verdicts,
)
from suite.compare.measure import Compared

RULES = Rules()
NOISE = 0.004  # of a pair's log ratio: two processes of one network on one core


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


@given(st.lists(st.floats(-0.1, 0.1), min_size=2, max_size=8), st.floats(0.9, 1.1))
def test_the_p_value_of_a_set_of_pairs_is_that_of_students_one_sided_test(logs, bound):
    """As scipy computes it; equal logs have no spread there."""
    logs = [*logs, max(logs) + 0.01]
    expected = stats.ttest_1samp(logs, math.log(bound), alternative="less").pvalue
    assert expected == pytest.approx(p_slower(logs, bound), rel=1e-6, abs=1e-12)


SLOWER, SLIGHTLY = [-0.05, -0.051, -0.049, -0.05], [-0.003, 0.001, -0.004, -0.001]


@pytest.mark.parametrize("confirmed", [SLOWER, SLIGHTLY])
def test_the_p_value_of_two_sets_is_the_square_of_the_larger_one(confirmed):
    """The first set was looked at twice, so its own counts twice."""
    timing = Timing(metric="speed", looked=SLOWER, confirmed=confirmed)
    larger = max(2 * p_slower(SLOWER, 1.0), p_slower(confirmed, 1.0))
    assert larger**2 == pytest.approx(p_value(timing, RULES))


def test_without_a_suspicion_or_its_confirmation_nothing_is_proven():
    assert 1.0 == p_value(Timing(metric="speed", looked=SLOWER), RULES)
    assert 1.0 == p_value(Timing(metric="speed", looked=SLIGHTLY, confirmed=SLOWER), RULES)


def test_pairs_of_a_timing_with_trouble_decide_nothing():
    """Whatever they said before: the pairs that are missing may be the slow ones."""
    assert "undecided" == first_verdict(Timing(metric="speed", looked=SLOWER, trouble="it died"), RULES)
    assert "undecided" == first_verdict(Timing(metric="speed"), RULES)


def around(ratio, times, pairs=8):
    """An estimate whose interval reaches from ``ratio / times`` to ``ratio * times``."""
    return SpeedEstimate(ratio=ratio, low=ratio / times, high=ratio * times, pairs=pairs)


def test_twice_as_wide_as_there_is_room_takes_four_times_the_pairs():
    """An interval's width falls with the square root of the number of pairs."""
    assert 32 == pytest.approx(pairs_needed(around(1.0, 1 / 0.98**2), RULES), abs=1)
    assert 32 == pytest.approx(pairs_needed(around(0.95, 1 / 0.95**2), RULES), abs=1)


def test_three_times_as_wide_takes_nine_times_and_a_narrow_one_takes_one_more():
    assert 72 == pytest.approx(pairs_needed(around(1.0, 1 / 0.98**3), RULES), abs=1)
    assert 9 == pairs_needed(around(1.0, 1.0001), RULES)


def test_an_estimate_between_the_bounds_is_decided_at_the_one_that_is_further_away():
    """Slower by 1.8 % of 2 % allowed to a pass: it is sooner proven slower than the margin is excluded."""
    assert pairs_needed(around(0.982, 1.05), RULES) < pairs_needed(around(0.99, 1.05), RULES)


def test_on_the_only_bound_no_number_of_pairs_decides():
    """A margin that is all allowed leaves one bound."""
    rules = Rules(margin=0.02, allow=0.02)
    assert None is pairs_needed(around(0.98, 1.05), rules)
    assert None is not pairs_needed(around(0.99, 1.05), rules)


@given(st.lists(st.floats(-0.1, 0.1), min_size=2, max_size=8))
def test_what_is_undecided_needs_more_pairs_than_it_has(logs):
    """Whatever they say."""
    needed = pairs_needed(estimate(logs), RULES)
    assert needed > len(logs)


def remark(logs, rules=RULES):
    """The line below the table of a timing with these pairs."""
    (line,) = table.remarks(
        [Compared(cell="c", timings=[Timing(metric="speed", looked=logs)])], ["inconclusive"], rules
    )
    return line


def test_an_undecided_timing_names_the_option_that_would_decide_it():
    """With its number, and how much more time that takes."""
    logs = [0.05, -0.05] * 4
    needed = pairs_needed(estimate(logs), RULES)
    expected = f"about --pairs {math.ceil(needed / 2)} with {needed / 8:.2g} times the --budget would decide it"
    assert remark(logs).endswith(expected)


def test_an_undecided_timing_on_the_bound_names_no_number():
    """More pairs would be in vain."""
    logs = [math.log(0.98) + 0.05, math.log(0.98) - 0.05] * 4
    assert "no number of pairs decides it; give another --margin or --allow" in remark(logs, Rules(allow=0.02))
