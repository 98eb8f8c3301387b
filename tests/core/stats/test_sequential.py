"""Looks at a growing sample: their error together, against looking as often as one likes."""
# the expected value stands on the left

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from suite.core.stats.intervals import median_interval, median_rank
from suite.core.stats.sequential import SHARES, DecisionBound, confidence_at, spent, strictest

RUNS, LONGEST = 10_000, 400  # rounds of the longest sample


def simulated_misses(looks, confidence_of):
    """The share of runs whose interval misses the true ratio, at a look that the run ends with because of that."""
    rng = np.random.default_rng(0)
    missed = np.zeros(RUNS, dtype=bool)
    logs = rng.standard_t(3, (RUNS, LONGEST))  # heavy tails, like timings
    for k, n in enumerate(looks):
        rank = median_rank(n, confidence_of(k))
        ordered = np.sort(logs[:, :n], axis=1)
        missed |= (ordered[:, rank - 1] > 0) | (ordered[:, -rank] < 0)
    return missed.mean()


def test_looking_again_and_again_at_one_interval_is_wrong_far_too_often():
    """10,000 runs of unchanged code, looked at every tenth round: a 99 % interval misses in more than 3 %."""
    assert simulated_misses(range(10, LONGEST + 1, 10), lambda _: 0.99) > 0.03


def test_looks_that_share_their_error_keep_it():
    """The same runs at the three looks of a sample: at most 1 %, by more than chance explains."""
    looks = [int(share * LONGEST) for share in SHARES]
    limit = 0.01 + 3 * math.sqrt(0.01 * 0.99 / RUNS)
    assert simulated_misses(looks, lambda look: confidence_at(look, 0.99)) <= limit
    assert simulated_misses(looks, lambda _: 0.99) > 0.01


@given(st.floats(0.5, 0.9999))
def test_the_looks_spend_the_error_and_no_more(confidence):
    """What single looks miss adds up to what all of them may, and each is stricter than the whole."""
    levels = [confidence_at(look, confidence) for look in range(len(SHARES))]
    assert pytest.approx(1 - confidence) == sum(1 - level for level in levels)
    assert all(level > confidence for level in levels)
    assert max(levels) == strictest(confidence)


@given(st.floats(0, 1), st.floats(0, 1))
def test_spending_never_takes_back(one, other):
    """Nothing at first, all at the end, and more the longer a sample is."""
    first, last = sorted((one, other))
    assert 0 <= spent(first, 0.01) <= spent(last, 0.01) <= 0.01 + 1e-12
    assert pytest.approx(0.01) == spent(1.0, 0.01)


@pytest.mark.parametrize(
    ("low", "high", "decided"),
    [(1.0, 1.1, True), (0.8, 0.85, True), (0.85, 0.95, False), (0.9, 0.95, True), (0.85, 0.9, True)],
)
def test_a_bound_is_decided_if_the_interval_lies_on_one_side_of_its_bound(low, high, decided):
    """The bound 0.9 is inclusive on both sides."""
    assert decided == DecisionBound(numerator="a", denominator="b", bounds=(0.9,)).decided(low, high)


def test_a_decision_on_two_bounds_needs_both_decided():
    """Above low and across high decides nothing; without bounds there is nothing to decide."""
    decision = DecisionBound(numerator="a", denominator="b", bounds=(0.9, 1.1))
    assert decision.decided(0.95, 1.05)
    assert not decision.decided(1.05, 1.15)
    assert DecisionBound(numerator="a", denominator="b", bounds=()).decided(0, 2)


def test_the_widest_interval_is_that_of_the_strictest_look():
    """Ten values hold an interval at every look."""
    values = np.arange(10.0)
    assert (0.0, 9.0) == median_interval(values, strictest(0.99))
