"""Intervals: published values, coverage, and what must hold for any data."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from suite.core.stats.intervals import (
    blocked_interval,
    mean_interval,
    median_interval,
    median_rank,
    min_rounds,
    paired_difference,
    wilson,
)

numbers = st.floats(-1e6, 1e6)
samples = st.lists(numbers, min_size=11, max_size=80)
confidences = st.floats(0.5, 0.999)


@pytest.mark.parametrize(("confidence", "least"), [(0.5, 2), (0.75, 3), (0.9, 5), (0.95, 6), (0.99, 8), (0.999, 11)])
def test_the_least_number_of_rounds(confidence, least):
    """The range of n values misses the median with probability 2 * 0.5**n."""
    assert least == min_rounds(confidence)


@given(confidence=st.floats(0.01, 0.9999))
def test_the_least_number_of_rounds_is_enough_and_one_fewer_is_not(confidence):
    """The bound is sharp, and the interval agrees with it."""
    least = min_rounds(confidence)
    assert 2 * 0.5**least <= 1 - confidence < 2 * 0.5 ** (least - 1)
    assert median_interval(range(least), confidence)
    with pytest.raises(ValueError, match=f"at least {least}"):
        median_interval(range(least - 1), confidence)


@given(n=st.integers(8, 400))
def test_the_rank_is_the_largest_that_covers(n):
    """Exact binomial sums: rank r covers at 99 %, rank r + 1 does not."""
    rank = median_rank(n, 0.99)
    tail = partial(lambda r: sum(math.comb(n, k) for k in range(r)) / 2**n)
    assert 2 * tail(rank) <= 1 - 0.99 < 2 * tail(rank + 1)


@given(values=samples, confidence=confidences)
def test_the_interval_contains_the_median(values, confidence):
    """The middle lies inside for any data and confidence."""
    low, high = median_interval(values, confidence)
    assert low <= np.median(values) <= high


@given(values=samples, pair=st.tuples(confidences, confidences))
def test_more_confidence_never_narrows_the_interval(values, pair):
    """Intervals are nested."""
    less, more = sorted(pair)
    inner, outer = median_interval(values, less), median_interval(values, more)
    assert outer[0] <= inner[0] <= inner[1] <= outer[1]


@given(values=samples, exponent=st.integers(-10, 10))
def test_the_median_interval_scales_with_its_values(values, exponent):
    """Milliseconds and seconds give the same interval; powers of two are exact."""
    factor = 2.0**exponent
    low, high = median_interval(values, 0.99)
    assert (low * factor, high * factor) == median_interval([value * factor for value in values], 0.99)


@given(values=samples, data=st.data())
def test_the_order_of_the_values_does_not_matter(values, data):
    """Order statistics see a set."""
    assert median_interval(values, 0.95) == median_interval(data.draw(st.permutations(values)), 0.95)


@pytest.mark.parametrize("n", [8, 15, 40])
def test_the_median_interval_covers_a_skewed_distribution(n):
    """At least nominal coverage, less 1 % for 2000 draws, without any assumption of a shape."""
    draws = np.random.default_rng(7).lognormal(sigma=1.5, size=(2000, n))  # its median is 1
    bounds = np.array([median_interval(draw, 0.95) for draw in draws])
    covered = np.mean((bounds[:, 0] <= 1) & (bounds[:, 1] >= 1))
    assert covered >= 0.95 - 0.01


def test_the_trimmed_mean_interval_by_hand():
    """Of ten values one goes at each end; the winsorized variance of the rest, over (1 - 2 * 0.1)^2 n."""
    values = [-50.0, 1, 2, 3, 4, 5, 6, 7, 8, 900.0]
    low, high = mean_interval(values, 0.95, trimmed=0.1)
    assert pytest.approx(4.5) == (low + high) / 2
    winsorized = np.std([1, 1, 2, 3, 4, 5, 6, 7, 8, 8], ddof=1)
    assert pytest.approx(2.364624 * winsorized / (0.8 * math.sqrt(10)), rel=1e-5) == (high - low) / 2


@pytest.mark.parametrize(("n", "outliers"), [(6, 0.0), (16, 0.0), (16, 0.1), (64, 0.1)])
def test_the_trimmed_mean_interval_covers_with_and_without_outliers(n, outliers):
    """One block in ten ten times as far out: as often as it says, and narrower than Student's t then."""
    draws, missed, narrower = np.random.default_rng(1), 0, 0
    for _ in range(3000):
        values = draws.standard_normal(n) * np.where(draws.random(n) < outliers, 10, 1)
        low, high = mean_interval(values, 0.99, trimmed=0.1)
        missed += not low <= 0 <= high
        least, greatest = mean_interval(values, 0.99)
        narrower += high - low < greatest - least
    assert missed / 3000 < 0.0145
    assert not outliers or narrower / 3000 > 0.6


BLOCKED = 1500


@pytest.mark.parametrize("effect", [0.0, 0.005, 0.02])
def test_the_blocked_interval_covers_where_blocks_differ(effect):
    """Sixteen blocks of six rounds: 99 % whether blocks differ by nothing, by as much as rounds do, or by more."""
    draws, block = np.random.default_rng(0), np.repeat(np.arange(16), 6)
    missed = naive = 0
    for _ in range(BLOCKED):
        ratios = np.exp(effect * draws.standard_normal(16))[block] * np.exp(0.005 * draws.standard_normal(96))
        low, high = blocked_interval(ratios, block, 0.99)
        missed += not low <= 1 <= high
        low, high = median_interval(ratios, 0.99)
        naive += not low <= 1 <= high
    assert missed / BLOCKED < 0.013
    assert naive / BLOCKED > (0.05 if effect else 0.0)


def test_of_few_blocks_only_the_rounds_tell():
    """Five would give an interval several times as wide."""
    values, block = np.linspace(0.99, 1.01, 50), np.repeat(np.arange(5), 10)
    assert median_interval(values, 0.99) == blocked_interval(values, block, 0.99)


@given(st.lists(st.floats(0.5, 2), min_size=12, max_size=60), st.floats(0.5, 0.99))
def test_the_blocked_interval_is_never_narrower_than_that_of_the_rounds(values, confidence):
    """It can only add what blocks know."""
    block = [6 * k // len(values) for k in range(len(values))]
    low, high = blocked_interval(values, block, confidence)
    least, greatest = median_interval(values, confidence)
    assert low <= least <= greatest <= high


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_values_that_are_not_finite_are_refused(bad):
    """A NaN would sort to the end and pass for a slow round."""
    with pytest.raises(ValueError, match=f"values must be finite, got {bad} among 21"):
        median_interval([*range(20), bad], 0.99)


@pytest.mark.parametrize("confidence", [0, 1, 99, -0.5, math.nan])
@pytest.mark.parametrize(
    "interval",
    [
        partial(median_interval, range(20)),
        partial(mean_interval, range(20)),
        partial(wilson, 3, 10),
        partial(paired_difference, 3, 1, 10),
    ],
)
def test_a_confidence_outside_of_zero_to_one_is_refused(interval, confidence):
    """99 instead of 0.99 is a mistake, not a wide interval."""
    with pytest.raises(ValueError, match="confidence must be between 0 and 1"):
        interval(confidence)


def test_the_mean_interval_of_a_textbook_sample():
    """t(4 degrees, 97.5 %) = 2.776445; sd of 1..5 is sqrt(2.5)."""
    half = 2.7764451052 * math.sqrt(2.5 / 5)
    assert pytest.approx((3 - half, 3 + half)) == mean_interval([1, 2, 3, 4, 5], 0.95)


def test_the_mean_of_one_value_has_no_interval():
    """One seed says nothing about the spread."""
    with pytest.raises(ValueError, match="at least 2 values, got 1"):
        mean_interval([0.98], 0.95)


def test_the_mean_of_two_values_has_one():
    """t(1 degree, 97.5 %) = 12.7062."""
    assert pytest.approx((1.5 - 6.3531, 1.5 + 6.3531), abs=1e-4) == mean_interval([1.0, 2.0], 0.95)


def test_six_blocks_tell_how_much_blocks_differ():
    """They alternate by 0.3 of the logarithm: the interval is that of their means."""
    values, block = np.exp(np.repeat([0.3, -0.3] * 3, 4)), np.repeat(np.arange(6), 4)
    expected = np.exp(mean_interval([0.3, -0.3] * 3, 0.99))
    assert pytest.approx(tuple(expected)) == blocked_interval(values, block, 0.99)
    assert expected[0] < median_interval(values, 0.99)[0]


def test_of_many_blocks_the_least_and_the_greatest_are_left_out():
    """One in twelve at each end, while the machine was busy."""
    logs = [0.3, -0.3] * 5 + [9.0, -9.0]
    low, high = blocked_interval(np.exp(np.repeat(logs, 4)), np.repeat(np.arange(12), 4), 0.99)
    assert pytest.approx(tuple(np.exp(mean_interval(logs, 0.99, trimmed=0.1)))) == (low, high)
    assert 0.5 < low < high < 2


def test_a_value_of_zero_has_no_logarithm():
    """Only the rounds tell."""
    values, block = np.append(np.zeros(4), np.linspace(1, 2, 44)), np.repeat(np.arange(12), 4)
    assert median_interval(values, 0.99) == blocked_interval(values, block, 0.99)


def test_the_wilson_interval_at_its_ends():
    """None is zero to the bit, one is not: 1 of 10 at 95 %, from the formula."""
    assert 0.0 == wilson(0, 2, 0.5)[0]
    assert pytest.approx((0.017876, 0.404150), abs=1e-6) == wilson(1, 10, 0.95)


def test_the_wilson_interval_of_a_published_example():
    """15 of 148 at 95 %: Newcombe, Statistics in Medicine 17 (1998), table I gives 0.0624 to 0.1605."""
    assert pytest.approx((0.0624, 0.1605), abs=5e-5) == wilson(15, 148, 0.95)


@given(n=st.integers(1, 500), data=st.data(), confidence=confidences)
def test_the_wilson_interval_contains_the_proportion_within_zero_and_one(n, data, confidence):
    """It never leaves [0, 1], and none or all successes touch the end."""
    successes = data.draw(st.integers(0, n))
    low, high = wilson(successes, n, confidence)
    assert 0 <= low <= successes / n <= high <= 1
    assert (successes == 0) <= (low == 0)
    assert (successes == n) <= (high == 1)


@pytest.mark.parametrize(("successes", "n"), [(-1, 5), (6, 5), (0, 0)])
def test_impossible_counts_are_refused(successes, n):
    """More successes than trials is a bug of the caller."""
    with pytest.raises(ValueError, match="got"):
        wilson(successes, n, 0.95)


def test_the_paired_difference_by_hand():
    """b=10, c=4, n=100: estimate 6 / 102, half width 1.959964 * sqrt(15 - 36 / 102) / 102."""
    half = 1.959963985 * math.sqrt(15 - 36 / 102) / 102
    assert pytest.approx((6 / 102 - half, 6 / 102 + half)) == paired_difference(10, 4, 100, 0.95)


@given(n=st.integers(1, 400), data=st.data(), confidence=confidences)
def test_swapping_the_two_sides_mirrors_the_difference(n, data, confidence):
    """p1 - p2 is -(p2 - p1), and the interval stays within [-1, 1]."""
    b = data.draw(st.integers(0, n))
    c = data.draw(st.integers(0, n - b))
    low, high = paired_difference(b, c, n, confidence)
    assert (-high, -low) == pytest.approx(paired_difference(c, b, n, confidence))
    assert -1 <= low < high <= 1


def test_no_discordant_items_still_leave_an_interval():
    """Equal predictions on 100 images do not prove equal models."""
    low, high = paired_difference(0, 0, 100, 0.95)
    assert low < 0 < high


@pytest.mark.parametrize(("b", "c", "n"), [(-1, 0, 5), (3, 3, 5), (0, 0, 0)])
def test_impossible_discordant_counts_are_refused(b, c, n):
    """More discordant items than items is a bug of the caller."""
    with pytest.raises(ValueError, match="got b="):
        paired_difference(b, c, n, 0.95)


def test_the_paired_difference_covers_at_accuracies_near_one():
    """99 % against 98 % on 360 images, mostly the same errors: coverage at least nominal less 1 %."""
    n, only_first, only_second = 360, 0.015, 0.005
    draws = np.random.default_rng(3).multinomial(n, [only_first, only_second, 0.98], size=2000)
    bounds = np.array([paired_difference(int(b), int(c), n, 0.95) for b, c, _ in draws])
    assert np.mean((bounds[:, 0] <= 0.01) & (bounds[:, 1] >= 0.01)) >= 0.95 - 0.01
