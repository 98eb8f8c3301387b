"""Intervals: their arithmetic holds all values, comparisons are open where they overlap, tests have their level."""
# the expected value stands on the left

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suite.claims.quantities import Interval, Quantity, agreement, quantile, rises, within
from suite.claims.truth import Truth, every, some

sides = st.floats(-1e3, 1e3).filter(lambda x: abs(x) > 1e-3 or x == 0)


@st.composite
def intervals(draw):
    low, value, high = sorted(draw(st.tuples(sides, sides, sides)))
    return Interval(value, low, high)


@st.composite
def members(draw):
    one = draw(intervals())
    return one, one.low + draw(st.floats(0, 1)) * (one.high - one.low)


@given(members(), members())
def test_arithmetic_holds_every_value_that_the_operands_allow(first, second):
    """Whatever their dependence."""
    (a, x), (b, y) = first, second
    for result, value in ((a + b, x + y), (a - b, x - y), (a * b, x * y)):
        slack = 1e-6 * (1 + abs(value))
        assert result.low - slack <= value <= result.high + slack


@given(members(), members())
def test_a_ratio_holds_every_value_unless_its_divisor_may_be_zero(first, second):
    """Then it reaches to infinity on both sides."""
    (a, x), (b, y) = first, second
    result = a / b
    if b.low <= 0 <= b.high:
        assert (-math.inf, math.inf) == (result.low, result.high)
    else:
        assert result.low - 1e-6 * (1 + abs(x / y)) <= x / y <= result.high + 1e-6 * (1 + abs(x / y))


@given(intervals(), intervals())
def test_a_comparison_is_decided_only_where_all_pairs_agree(a, b):
    """Below and at least are opposites; intervals that overlap leave both open."""
    assert a.below(b) is ~b.at_most(a)
    if a.high < b.low:
        assert a.below(b) is Truth.TRUE
    elif a.low < b.high:
        assert a.below(b) is Truth.OPEN


def test_points_are_equal_or_not_and_intervals_that_meet_leave_it_open():
    """Two measured figures are never known to be equal."""
    two, other = Interval.point(2), Interval(2.5, 1.5, 3.5)
    assert [Truth.TRUE, Truth.OPEN, Truth.FALSE] == [
        two.equal(Interval.point(2)),
        two.equal(other),
        two.equal(other + two),
    ]


def test_truth_has_kleenes_connectives():
    """Open and false is false; open or true is true."""
    true, open_, false = Truth.TRUE, Truth.OPEN, Truth.FALSE
    assert [false, open_, true] == [every([open_, false]), every([open_, true]), every([])]
    assert [true, open_, false] == [some([open_, true]), some([open_, false]), some([])]
    assert [false, open_, true] == [~true, ~open_, ~false]


@given(st.floats(0.01, 0.998), st.floats(0.01, 0.998))
def test_a_greater_level_has_a_wider_interval(first, second):
    """In proportion to the normal distribution's quantiles, so that the stored level gives the stored ends."""
    found = Quantity(value=1.0, low=0.8, high=1.3)
    low, high = sorted((first, second))
    assert found.at(high).low <= found.at(low).low <= 1.0 <= found.at(low).high <= found.at(high).high
    assert (0.8, 1.3) == pytest.approx((found.at(0.95).low, found.at(0.95).high))


def test_what_has_no_interval_decides_nothing_unless_it_is_exact():
    """A count is a point; a time without an interval may be anything."""
    limit = Interval.point(1.0)
    assert Truth.OPEN is Quantity(value=5.0).at(0.95).below(limit)
    assert Truth.FALSE is Quantity(value=5.0, exact=True).at(0.95).below(limit)
    assert Truth.OPEN is Quantity(value=math.nan, low=0.0, high=0.1).at(0.95).below(limit)


def test_the_quantile_is_the_normal_distributions():
    """Of a two-sided interval."""
    assert 1.959964 == pytest.approx(quantile(0.95), abs=1e-6)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(-0.2, 0.2, Truth.TRUE), (-0.2, 0.4, Truth.OPEN), (0.4, 0.6, Truth.FALSE), (-0.9, 0.9, Truth.OPEN)],
)
def test_equivalence_needs_the_whole_interval_within_the_margin(low, high, expected):
    """And it is refuted only by an interval wholly outside."""
    assert expected is within(Interval((low + high) / 2, low, high), Interval.point(-0.3), Interval.point(0.3))


def sweep(slope, noise=0.01, seeds=5, points=4):
    draw = random.Random(3).gauss  # noqa: S311  # no secret
    values = [[slope * k + draw(0, noise) for _ in range(seeds)] for k in range(points)]
    return [Quantity(value=sum(own) / seeds, low=0.0, high=9.0, by_seed=tuple(own)) for own in values]


def test_a_trend_over_seeds_is_told_from_noise():
    """Rising, falling, neither; Page's test."""
    assert Truth.TRUE is rises(sweep(0.1), 0.95)
    assert Truth.FALSE is rises(sweep(-0.1), 0.95)
    assert Truth.OPEN is rises(sweep(0.0), 0.95)
    assert Truth.OPEN is rises(sweep(0.1, seeds=1), 0.95)


def test_exact_values_rise_by_their_order():
    """Equal neighbours are allowed, but not everywhere."""
    exact = lambda *values: [Quantity(value=value, exact=True) for value in values]  # noqa: E731
    assert Truth.TRUE is rises(exact(1, 1, 2), 0.95)
    assert Truth.FALSE is rises(exact(1, 1, 1), 0.95)
    assert Truth.FALSE is rises(exact(1, 3, 2), 0.95)


def test_orders_that_agree_have_a_tau_of_1():
    """Reversed ones of -1."""
    assert (1.0, -1.0) == pytest.approx((agreement([1, 2, 3], [10, 20, 30]), agreement([1, 2, 3], [3, 2, 1])))
