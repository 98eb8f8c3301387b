"""Intervals: their arithmetic holds all values, comparisons are open where they overlap, tests have their level."""
# the expected value stands on the left

import math
import operator
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


ANYTHING = (-math.inf, math.inf)


@pytest.mark.parametrize(
    ("of", "first", "second", "expected"),
    [
        (operator.add, Interval(2, 1, 4), Interval(20, 10, 30), (22, 11, 34)),
        (operator.sub, Interval(2, 1, 4), Interval(20, 10, 30), (-18, -29, -6)),
        (operator.mul, Interval(2, 1, 3), Interval(-1, -2, 4), (-2, -6, 12)),
        (operator.truediv, Interval(2, 1, 3), Interval(2, 1, 4), (1, 0.25, 3)),
        (operator.truediv, Interval(2, 1, 3), Interval(-2, -4, -1), (-1, -3, -0.25)),
        (operator.truediv, Interval(2, 1, 3), Interval(0.5, 0.25, 0.75), (4, 4 / 3, 12)),
        (operator.truediv, Interval(2, 1, 3), Interval(4, -1, 5), (0.5, *ANYTHING)),
        (operator.truediv, Interval(2, 1, 3), Interval(4, 0, 5), (0.5, *ANYTHING)),
        (operator.truediv, Interval(2, 1, 3), Interval(-4, -5, 0), (-0.5, *ANYTHING)),
        (operator.truediv, Interval(2, 1, 3), Interval(1, 0, 2), (2, *ANYTHING)),
        (operator.pow, Interval(4, 1, 9), Interval.point(0.5), (2, 1, 3)),
        (operator.pow, Interval(4, 1, 9), Interval.point(-1), (0.25, 1 / 9, 1)),
        (operator.pow, Interval(0.5, 0.25, 0.75), Interval.point(2), (0.25, 0.0625, 0.5625)),
        (operator.pow, Interval.point(-2), Interval.point(2), (4, 4, 4)),
        (operator.mul, Interval.point(0), Interval(1, *ANYTHING), (0, 0, 0)),  # no figure is infinite
        (operator.mul, Interval.point(1), Interval(1, *ANYTHING), (1, *ANYTHING)),
    ],
)
def test_arithmetic_by_hand(of, first, second, expected):
    """The value and both ends."""
    result = of(first, second)
    assert expected == pytest.approx((result.value, result.low, result.high))


def test_a_negative_interval_has_its_ends_exchanged():
    """Its value stays between them."""
    assert Interval(-2, -4, -1) == -Interval(2, 1, 4)


@pytest.mark.parametrize(
    ("of", "first", "second"),
    [
        (operator.truediv, Interval(2, 1, 3), Interval(0, -1, 1)),
        (operator.pow, Interval(4, 1, 9), Interval(1, 0.5, 2)),
        (operator.pow, Interval(4, 0, 9), Interval.point(0.5)),
        (operator.pow, Interval(4, -1, 9), Interval.point(2)),
    ],
)
def test_what_arithmetic_cannot_tell_is_no_number_and_may_be_anything(of, first, second):
    """A divisor of zero, an exponent that is not known, a base that may be zero or negative."""
    result = of(first, second)
    assert math.isnan(result.value)
    assert ANYTHING == (result.low, result.high)


def test_intervals_that_touch_may_be_equal():
    """Neither is known to be below the other, but a lower end at the other's upper end is known not to be below."""
    left, right = Interval(1.5, 1, 2), Interval(2.5, 2, 3)
    assert [Truth.OPEN, Truth.FALSE] == [left.below(right), right.below(left)]
    assert [Truth.TRUE, Truth.OPEN] == [left.at_most(right), right.at_most(left)]
    assert [Truth.OPEN, Truth.OPEN] == [left.equal(right), right.equal(left)]
    assert [Truth.FALSE, Truth.FALSE] == [left.equal(right + Interval.point(1)), (right + left).equal(left)]


def test_a_point_equals_itself_only_if_both_are_points():
    """Of a measured figure it is open."""
    two = Interval.point(2)
    assert [Truth.TRUE, Truth.FALSE] == [two.equal(two), two.equal(Interval.point(3))]
    assert [Truth.OPEN, Truth.OPEN] == [two.equal(Interval(2, 1, 2)), Interval(2, 2, 3).equal(two)]


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


@pytest.mark.parametrize("side", ["low", "high"])
def test_half_an_interval_is_none(side):
    """Its other end may be anywhere."""
    found = Quantity(value=5.0, **{side: 5.0}).at(0.95)
    assert (5.0, *ANYTHING) == (found.value, found.low, found.high)


def test_an_interval_is_stretched_from_its_own_level():
    """From 90 % to 95 %: by 1.959964 / 1.644854, each side by itself."""
    found = Quantity(value=1.0, low=0.9, high=1.2, confidence=0.9).at(0.95)
    assert (1.0, 0.880843, 1.238315) == pytest.approx((found.value, found.low, found.high), abs=1e-6)
    assert Interval.point(1.0) == Quantity(value=1.0, low=0.9, high=1.2).at(0.0)


def test_an_exact_figure_is_a_point_at_any_level():
    """Whatever its ends."""
    assert Interval.point(3.0) == Quantity(value=3.0, exact=True).at(0.999)


def test_the_quantile_is_the_normal_distributions():
    """Of a two-sided interval; at a level of 1 it is great but finite."""
    assert 1.959964 == pytest.approx(quantile(0.95), abs=1e-6)
    assert 0.0 == quantile(0.0)
    assert 7.1305 == pytest.approx(quantile(1.0), abs=1e-3)


def test_the_limits_themselves_are_within():
    """An interval that ends at both."""
    limits = Interval.point(-0.3), Interval.point(0.3)
    assert Truth.TRUE is within(Interval(0.0, -0.3, 0.3), *limits)
    assert Truth.FALSE is within(Interval(-0.5, -0.6, -0.4), *limits)


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


def by_seed(*rows):
    return [Quantity(value=0.0, by_seed=row) for row in rows]


def test_a_trend_needs_three_points_and_two_seeds():
    """Page's test of three rising points has a p-value of 1 / 36 in two seeds."""
    three = by_seed((1, 1), (2, 2), (3, 3))
    assert [Truth.TRUE, Truth.FALSE] == [rises(three, 0.9), rises(three[::-1], 0.9)]
    assert Truth.OPEN is rises(three[:2], 0.9)
    assert Truth.OPEN is rises(by_seed((1,), (2,), (3,), (4,), (5,)), 0.5)


def test_a_trend_is_tested_on_both_sides():
    """Each at half of the risk: 1 / 36 is above 2.5 %, and below 5 %."""
    three = by_seed((1, 1), (2, 2), (3, 3))
    assert [Truth.OPEN, Truth.OPEN] == [rises(three, 0.95), rises(three[::-1], 0.95)]
    assert [Truth.TRUE, Truth.OPEN] == [rises(three, 17 / 18 - 1e-9), rises(three, 17 / 18 + 1e-9)]


def test_only_seeds_that_all_points_have_are_compared():
    """What one point has beside is left out."""
    assert Truth.TRUE is rises(by_seed((1, 1, 9), (2, 2), (3, 3, 0)), 0.9)


def test_one_value_that_is_not_exact_makes_a_trend_a_test():
    """Without seeds it is open."""
    assert Truth.OPEN is rises([Quantity(value=1, exact=True), Quantity(value=2), Quantity(value=3, exact=True)], 0.9)


def test_exact_values_rise_by_their_order():
    """Equal neighbours are allowed, but not everywhere."""
    exact = lambda *values: [Quantity(value=value, exact=True) for value in values]  # noqa: E731
    assert Truth.TRUE is rises(exact(1, 1, 2), 0.95)
    assert Truth.TRUE is rises(exact(1, 2, 2), 0.95)
    assert Truth.FALSE is rises(exact(1, 1, 1), 0.95)
    assert Truth.FALSE is rises(exact(1, 3, 2), 0.95)


def test_orders_that_agree_have_a_tau_of_1():
    """Reversed ones of -1; a tie counts half in tau-b: 5 / sqrt(5 * 6)."""
    assert 5 / math.sqrt(30) == pytest.approx(agreement([1, 1, 2, 3], [1, 2, 3, 4]))
    assert (1.0, -1.0) == pytest.approx((agreement([1, 2, 3], [10, 20, 30]), agreement([1, 2, 3], [3, 2, 1])))


def test_what_is_no_number_decides_nothing():
    """A count that torch could not take: no arithmetic makes a figure of it."""
    nan, one = Interval.point(math.nan), Interval.point(1)
    for found in (nan * one, nan / one, one / nan, nan * Interval.point(0)):
        assert Truth.OPEN is found.below(one)
        assert Truth.OPEN is found.at_most(one)
    assert Truth.OPEN is nan.equal(one)


def test_an_interval_of_few_values_grows_as_students_does():
    """Of five seeds: 99.95 % is 8.61 standard errors, not 3.48; at 95 % they are 2.776."""
    found = Quantity(value=0.0, low=-2.776, high=2.776, freedom=4)
    assert 8.610 == pytest.approx(found.at(0.999).high, abs=2e-3)


def test_an_interval_goes_no_further_than_its_values_can():
    """Nine rounds support 99.6 %; equal values say nothing beyond the level at which they were taken."""
    nine = Quantity(value=1.1, low=1.0, high=1.2, most=1 - 2.0**-8)
    assert (1.0, math.inf) == (pytest.approx(nine.at(0.95).low), nine.at(0.999).high)
    equal = Quantity(value=1.0, low=1.0, high=1.0)
    assert (Truth.TRUE, Truth.OPEN) == tuple(equal.at(level).below(Interval.point(1.1)) for level in (0.95, 0.999))


def test_powers_that_are_no_numbers_or_too_large_are_no_errors():
    """A root of a negative number, a reciprocal of zero, ten to the four hundredth."""
    point = Interval.point
    assert math.isnan((point(-8) ** point(0.5)).value)
    assert math.isnan((point(0) ** point(-1)).value)
    assert math.inf == (point(10) ** point(400)).value
