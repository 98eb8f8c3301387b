"""Every family passes the battery; FAMILIES is what lies in the package; floats at both ends of their range."""

import numpy as np
import pytest

from suite.core.errors import RegistrationError, UsageError
from suite.curves.families import FAMILIES, by_name, family
from suite.curves.families.curve import Curve
from suite.curves.testing import check_family

EACH = pytest.mark.parametrize("cls", FAMILIES.values(), ids=FAMILIES)
RESOURCES = np.geomspace(1e-12, 1e15, 28)
EXTREMES = (1e-50, 1e-9, 1e-3, 0.5, 1.0, 1.5, 7.0, 99.0, 1e9, 1e50)
NAMES = {
    *("broken_power_law", "exp3", "gompertz", "gompertz4", "hill", "ilog", "logarithm", "michaelis_menten", "mmf4"),
    *("pow2", "pow3", "pow4", "saturating_exponential", "wbl3", "wbl4"),
}


@EACH
def test_a_family_passes_the_battery(cls):
    """Every property of `suite.curves.testing`, on curves all over the family."""
    check_family(cls)


def extreme_curves(cls):
    """Every parameter in turn at every extreme within its bounds, the others at 0.5."""
    middle = dict.fromkeys(cls.parameters(), 0.5)
    for name in cls.parameters():
        low, high = cls.bounds.get(name, (-np.inf, np.inf))
        yield from (cls(**{**middle, name: value}) for value in EXTREMES if low < value < high)


@EACH
def test_no_resource_and_no_parameter_overflows(cls):
    """From 1e-12 to 1e15 and from 1e-50 to 1e50 without a warning or a NaN, values finite (warnings are errors)."""
    least = [] if cls.open_below else [cls.domain[0]]
    resource = np.array([*least, *RESOURCES[RESOURCES > cls.domain[0]]])
    for curve in extreme_curves(cls):
        assert np.isfinite(curve(resource)).all(), curve
        assert not np.isnan(curve.derivative(resource)).any(), curve
        assert not np.isnan(curve.second_derivative(resource)).any(), curve


@EACH
def test_an_amplitude_of_either_sign_gives_a_quality_that_rises_or_a_loss_that_falls(cls):
    """The same family with its amplitudes reversed is the same curve upside down."""
    curve = cls(**{name: 0.4 + 0.3 * i for i, name in enumerate(cls.parameters())})
    upside_down = curve.replace(**{name: -getattr(curve, name) for name in cls.linear})
    resource = np.array([1.5, 3.0, 80.0])
    assert np.array_equal(-curve(resource), upside_down(resource))
    assert (-curve.reached[1], -curve.reached[0]) == upside_down.reached


@EACH
def test_a_family_says_where_it_comes_from_and_the_unit_of_every_parameter(cls):
    """Its class is documentation."""
    assert set(cls.parameters()) == set(cls.units)
    assert cls.source
    assert cls.__doc__


def test_every_family_of_the_package_is_listed():
    """One file a family, found without a list; what several share is none."""
    assert set(FAMILIES) == NAMES


def test_only_the_inverse_logarithm_depends_on_the_unit_of_its_resource():
    """All others have the same curve in every unit."""
    assert ["ilog"] == [name for name, cls in FAMILIES.items() if not cls.scale_free]


def test_a_family_is_found_by_its_name_or_is_a_class_of_ones_own():
    """Both are ways to name one."""
    assert FAMILIES["gompertz"] is family("gompertz")
    assert FAMILIES["gompertz"] is family(FAMILIES["gompertz"])


def test_a_name_that_no_family_has_is_answered_with_the_nearest():
    """A typing error costs one run."""
    with pytest.raises(UsageError, match=r"unknown family 'gompetz'; did you mean gompertz"):
        family("gompetz")


@pytest.mark.parametrize("wrong", [Curve, int, 3])
def test_what_is_no_family_is_refused(wrong):
    """An abstract class among them."""
    with pytest.raises(UsageError, match="a family is a name or a concrete subclass of Curve, got"):
        family(wrong)


def test_two_families_of_one_name_are_an_error():
    """Neither overwrites the other."""

    class Another(FAMILIES["gompertz"]):
        pass

    with pytest.raises(RegistrationError, match=r"two families are called 'gompertz': Gompertz and .*Another; rename"):
        by_name([FAMILIES["gompertz"], Another])
