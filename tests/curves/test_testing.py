"""The battery itself: planted faults are caught by the name of the property that they break."""

import math
import sys

import numpy as np
import pytest
from hypothesis import Phase, find, settings

from suite.core.errors import SetupError, UsageError
from suite.curves.families.exp3 import Exp3
from suite.curves.families.gompertz import Gompertz
from suite.curves.families.logarithm import Logarithm
from suite.curves.families.pow2 import Pow2
from suite.curves.families.saturating_exponential import SaturatingExponential
from suite.curves.properties.case import CurveCase
from suite.curves.testing import PROPERTIES, PropertyError, cases, check_family, property_named

MANY = settings(max_examples=2000, database=None, deadline=None, phases=[Phase.generate])


class WrongDerivative(Gompertz):
    name = "wrong_derivative"

    def derivative(self, resource):
        return 1.01 * super().derivative(resource)


class WrongSecondDerivative(SaturatingExponential):
    name = "wrong_second_derivative"

    def second_derivative(self, resource):
        return -super().second_derivative(resource)


class WrongInflection(Gompertz):
    name = "wrong_inflection"

    @property
    def inflection(self):
        return 1.2 * super().inflection if self.beta > 1 else None


class NoInflection(Gompertz):
    name = "no_inflection"
    inflection = None


class AlwaysDiminishing(Pow2):
    name = "always_diminishing"

    @property
    def diminishing(self):
        return (self.domain,)


class NeverDiminishing(Pow2):
    name = "never_diminishing"
    diminishing = ()


class WrongUnit(SaturatingExponential):
    name = "wrong_unit"
    units = {"top": "Q", "scale": "1"}  # noqa: RUF012  # as users write it


class WrongUnitOfQuality(SaturatingExponential):
    name = "wrong_unit_of_quality"
    units = {"top": "1", "scale": "R"}  # noqa: RUF012


class WrongInverse(SaturatingExponential):
    name = "wrong_inverse"

    def inverse(self, quality):
        return 1.001 * super().inverse(quality)


class NaiveInverse(SaturatingExponential):
    name = "naive_inverse"

    def inverse(self, quality):
        with np.errstate(all="ignore"):
            return np.asarray(-self.scale * np.log(1 - np.asarray(quality) / self.top))


class WrongAsymptote(SaturatingExponential):
    name = "wrong_asymptote"

    @property
    def asymptote(self):
        return 2 * self.top


class TooLittleReached(SaturatingExponential):
    name = "too_little_reached"

    @property
    def reached(self):
        return min(0.0, self.top / 2), max(0.0, self.top / 2)


class Wavy(SaturatingExponential):
    name = "wavy"

    @classmethod
    def shapes(cls, resource, *, scale):
        return np.stack([np.sin(resource / scale)], axis=-1)

    def derivative(self, resource):
        return np.asarray(self.top / self.scale * np.cos(self.checked(resource) / self.scale))


class NotLinear(SaturatingExponential):
    name = "not_linear"

    def __call__(self, resource):
        return super().__call__(resource) ** 3


class Cancelled(Exp3):
    """The difference of two rounded ends: no digits of ``b`` are left beside a large ``a``."""

    name = "cancelled"

    @property
    def rise(self):
        return self.end - self.start


class NoBroadcast(SaturatingExponential):
    name = "no_broadcast"

    @classmethod
    def shapes(cls, resource, *, scale):
        return super().shapes(resource, scale=np.ravel(scale)[0])


class Unbounded(SaturatingExponential):
    name = "unbounded"

    def __post_init__(self):
        if not (math.isfinite(self.scale) and math.isfinite(self.top)):
            super().__post_init__()


class Anywhere(Logarithm):
    name = "anywhere"

    @classmethod
    def checked(cls, resource):
        return np.abs(np.asarray(resource, dtype=float)) + 1e-9


class FixedStarts(SaturatingExponential):
    name = "fixed_starts"

    @classmethod
    def starts(cls, resource):  # noqa: ARG003
        return {"scale": np.geomspace(1, 100, 5)}


class ManyStarts(SaturatingExponential):
    name = "many_starts"

    @classmethod
    def starts(cls, resource):
        return {"scale": np.linspace(resource.min(), resource.max(), 400)}


class Warns(SaturatingExponential):
    name = "warns"

    def derivative(self, resource):
        return np.log(0 * super().derivative(resource))


PLANTED = [
    (WrongDerivative, "derivative by differences"),
    (WrongDerivative, "derivatives by automatic differentiation"),
    (WrongSecondDerivative, "second derivative by differences"),
    (WrongSecondDerivative, "derivatives by automatic differentiation"),
    (WrongInflection, "inflection"),
    (WrongInflection, "diminishing"),
    (NoInflection, "diminishing"),
    (AlwaysDiminishing, "diminishing"),
    (NeverDiminishing, "diminishing"),
    (WrongUnit, "unit of resource"),
    (WrongUnit, "starts"),
    (WrongUnitOfQuality, "unit of quality"),
    (WrongInverse, "inverse"),
    (NaiveInverse, "inverse"),
    (WrongAsymptote, "bounded"),
    (TooLittleReached, "bounded"),
    (Wavy, "monotone"),
    (Cancelled, "derivatives by automatic differentiation"),
    (NotLinear, "linear"),
    (NoBroadcast, "broadcast"),
    (Unbounded, "bounds"),
    (Anywhere, "domain"),
    (FixedStarts, "starts"),
    (ManyStarts, "starts"),
    (Warns, "monotone"),
]


@pytest.mark.parametrize(("family", "broken"), PLANTED, ids=lambda value: getattr(value, "name", value))
def test_a_planted_fault_is_caught_by_name(family, broken):
    """The message has the family, the property and the curve that breaks it."""
    with pytest.raises(PropertyError) as caught:
        check_family(family, only=[broken], max_examples=400, shrink=False)
    assert (family.name, broken) == (caught.value.family, caught.value.property)
    assert f"family {family.name!r} breaks {broken!r} (" in str(caught.value)
    assert f" as {family.__name__}({family.parameters()[0]}=" in str(caught.value)


@pytest.mark.parametrize("seed", range(5))
def test_values_that_underflow_break_no_property(seed):
    """A Gompertz far before its inflection is denormal, where a share of the value is no slack."""
    curve = Gompertz(alpha=1.5, beta=741.0 + seed, gamma=1e-3)
    case = CurveCase(curve, np.geomspace(1e-3, 3.0, 6), np.geomspace(1e-3, 3.0, 8))
    assert 0 < curve(1e-3) < 1e-300
    for name in ("linear", "unit of quality", "unit of resource", "monotone", "bounded", "inverse"):
        property_named(name)(case)


def test_amplitudes_are_drawn_over_ten_decades():
    """An offset far larger than what is added to it is what loses digits."""
    ratio = find(cases(Exp3), lambda case: abs(case.curve.a) > 1e8 * abs(case.curve.b), settings=MANY)
    assert abs(ratio.curve.a) > 1e8 * abs(ratio.curve.b)


def test_every_property_catches_something():
    """A property that no planted fault breaks may be one that holds of everything."""
    assert {each.name for each in PROPERTIES} == {broken for _, broken in PLANTED}


def test_the_counter_example_is_in_the_message():
    """Where, what was found, and what is right."""
    message = r"at a resource of [\d.e-]+ the derivative is [-\d.e]+, but [-\d.e]+ is right"
    with pytest.raises(PropertyError, match=message):
        check_family(WrongDerivative, only=["derivative by differences"], max_examples=10)


def test_a_warning_from_below_breaks_a_property():
    """A family answers without one."""
    with pytest.raises(PropertyError, match="RuntimeWarning: divide by zero encountered in log"):
        check_family(Warns, only=["monotone"], max_examples=10, shrink=False)


def test_a_whole_family_is_checked_by_one_call():
    """The first property that breaks is named."""
    with pytest.raises(PropertyError, match="family 'wrong_inverse' breaks 'inverse'"):
        check_family(WrongInverse, max_examples=10, shrink=False)


def test_a_property_is_found_by_its_name():
    """Or answered with the nearest."""
    assert "The value never moves against the direction of the curve" in property_named("monotone").claim
    with pytest.raises(UsageError, match=r"unknown property 'monoton'; did you mean monotone\?"):
        check_family(Gompertz, only=["monoton"])


def test_without_hypothesis_one_sentence_says_what_to_install(monkeypatch):
    """It is needed by tests only."""
    monkeypatch.setitem(sys.modules, "hypothesis", None)
    with pytest.raises(SetupError, match="testing a family needs hypothesis; install it with: pip install hypothesis"):
        check_family(Gompertz)
