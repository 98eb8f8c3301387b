"""What all curves share: checks of what a user gives, and other units."""

import math

import numpy as np
import pytest

from suite.curves.families import FAMILIES
from suite.curves.families.curve import CurveError
from suite.curves.families.exp3 import Exp3
from suite.curves.families.gompertz import Gompertz
from suite.curves.families.ilog import InverseLogarithm
from suite.curves.families.logarithm import Logarithm
from suite.curves.families.pow3 import Pow3
from suite.curves.families.saturating_exponential import SaturatingExponential

CURVE = SaturatingExponential(top=0.95, scale=20)


@pytest.mark.parametrize("wrong", [0, -3.0, float("nan"), float("inf"), None, "20", 2j])
def test_a_parameter_outside_its_bounds_or_no_number_is_refused(wrong):
    """The message names the family, the parameter, its bounds and the value."""
    message = r"saturating_exponential: scale must be a number between 0 and inf, got "
    with pytest.raises(CurveError, match=message):
        CURVE.replace(scale=wrong)


@pytest.mark.parametrize("wrong", [1e-70, 1e70])
def test_a_parameter_that_floats_cannot_carry_is_refused(wrong):
    """Products of such parameters would overflow far from here."""
    with pytest.raises(CurveError, match="is beyond the range of floats; choose another unit"):
        CURVE.replace(scale=wrong)


def test_parameters_are_floats_whatever_kind_of_number_they_came_as():
    """Curves are equal if their parameters are, and print alike."""
    assert "Exp3(a=1.0, b=2.0, scale=3.0)" == repr(Exp3(np.int64(1), np.float64(2), 3))


@pytest.mark.parametrize(
    ("curve", "wrong", "message"),
    [
        (CURVE, [1, -2], "a resource must be at least 0 and at most 1e.60, got -2"),
        (CURVE, 1e61, "at most 1e.60, got 1e.61"),
        (CURVE, "much", "a resource must be a number or an array of numbers, got 'much'"),
        (CURVE, [[1], [2, 3]], "a resource must be a number or an array of numbers"),
        (Logarithm(0.1, 0.2), 0, "logarithm: a resource must be above 0 and"),
        (Pow3(0.9, 0.2, 1), 0, "pow3: a resource must be above 0 and"),
        (InverseLogarithm(0.9, 0.2), 1, "ilog: a resource must be above 1 and"),
    ],
)
def test_a_resource_outside_the_domain_is_refused(curve, wrong, message):
    """By the value and by both derivatives, with the resource at fault."""
    for ask in (curve, curve.derivative, curve.second_derivative):
        with pytest.raises(CurveError, match=message):
            ask(wrong)


@pytest.mark.parametrize(
    ("curve", "wrong"),
    [(CURVE, 0.95), (CURVE, -0.01), (CURVE, 1.2), (Gompertz(0.95, 4, 0.1), 0.01), (Gompertz(0.95, 4, 0.1), 0.95)],
)
def test_the_inverse_outside_what_is_reached_is_refused(curve, wrong):
    """The naive formula gives a negative resource, an infinite one or NaN."""
    with pytest.raises(CurveError, match=rf"only qualities between .* and 0.95 are reached, got {wrong}"):
        curve.inverse([0.5, wrong])


def test_a_quality_beyond_all_resources_is_refused():
    """exp(0.999 / 0.001) is no resource."""
    with pytest.raises(CurveError, match=r"a quality of 0.999 takes more resources than 1e.60"):
        Logarithm(0, 0.001).inverse(0.999)


def test_a_curve_without_an_amplitude_reaches_nothing_but_its_start():
    """A constant has no inverse, and says so."""
    flat = Exp3(a=0.7, b=0, scale=3)
    assert 0 == flat.inverse(0.7)
    with pytest.raises(CurveError, match=r"only qualities between 0.7 and 0.7 are reached, got 0.71"):
        flat.inverse(0.71)


def test_hours_become_minutes_and_shares_become_percent():
    """The same curve, in the numbers of other units."""
    assert SaturatingExponential(top=95, scale=1200) == CURVE.rescaled(resource=60, quality=100)
    assert Gompertz(0.95, 4, 0.1 / 60) == Gompertz(0.95, 4, 0.1).rescaled(resource=60)


def test_another_unit_shifts_a_logarithm_and_is_refused_by_the_inverse_logarithm():
    """ln(60 r) = ln(60) + ln(r); 1 / ln(60 r) is no multiple of 1 / ln(r)."""
    assert pytest.approx(Logarithm(0.3, 0.1)(7)) == Logarithm(0.3, 0.1).rescaled(resource=60)(420)
    with pytest.raises(CurveError, match="ilog: the resource is a count"):
        InverseLogarithm(0.9, 0.2).rescaled(resource=60)


@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (0,)])
def test_values_keep_the_shape_of_the_resources(shape):
    """A number, a row, a table, nothing."""
    for cls in FAMILIES.values():
        curve = cls(**dict.fromkeys(cls.parameters(), 0.5))
        resource = np.full(shape, 2.0)
        for ask in (curve, curve.derivative, curve.second_derivative):
            assert shape == ask(resource).shape
        if cls.name != "mmf4":  # all parameters alike make it a constant
            assert shape == curve.inverse(curve(resource)).shape


@pytest.mark.parametrize("family", ["exp3", "wbl4"])
@pytest.mark.parametrize(("a", "b"), [(2.3, 1e-9), (1e6, 1e-6), (8.9e7, 2e-12), (-1e9, -3e-15)])
def test_a_derivative_keeps_its_digits_beside_a_large_offset(family, a, b):
    """``a - (a - b)`` is 0 where ``a`` is large; marginal returns are those of ``b`` alone."""
    shape = {"scale": 10.0, **({"k": 1.0} if family == "wbl4" else {})}
    curve = FAMILIES[family](a=a, b=b, **shape)
    assert pytest.approx(b / 10 * math.exp(-0.1), rel=1e-14) == curve.derivative(1.0)
    assert pytest.approx(-b / 100 * math.exp(-0.1), rel=1e-14) == curve.second_derivative(1.0)


STARTS = {
    "pow2": (0.0, True), "pow3": (-math.inf, True), "pow4": (0.5 - 0.7 / 1.1**0.9, True),
    "logarithm": (-math.inf, True), "ilog": (-math.inf, True), "exp3": (-0.2, True),
    "gompertz": (0.5 * math.exp(-0.7), True), "mmf4": (0.5, True),
}  # fmt: skip


@pytest.mark.parametrize("family", STARTS)
def test_a_curve_knows_where_it_begins_and_whether_it_rises(family):
    """Its value, or its limit, with the fewest resources."""
    cls = FAMILIES[family]
    curve = cls(**{name: 0.5 + 0.2 * i for i, name in enumerate(cls.parameters())})
    start, rising = STARTS[family]
    assert (pytest.approx(start), rising) == (curve.start, curve.rising)
    upside_down = curve.replace(**{name: -getattr(curve, name) for name in cls.linear})
    assert (pytest.approx(-start), not rising) == (upside_down.start, upside_down.rising)
