"""Units of parameters as products of powers."""

import pytest

from suite.core.errors import UsageError
from suite.curves.families.units import factor

SIZES = {"Q": 100.0, "R": 60.0}


@pytest.mark.parametrize(
    ("unit", "grown"),
    [("1", 1), ("Q", 100), ("R^-1", 1 / 60), ("Q R^-2", 100 / 3600), ("Q R^c", 100 * 60**0.5), ("R^-c", 60**-0.5)],
)
def test_a_parameter_grows_by_the_powers_of_its_units(unit, grown):
    """An exponent may be another parameter."""
    assert pytest.approx(grown) == factor(unit, SIZES, {"c": 0.5})


@pytest.mark.parametrize(("unit", "message"), [("S", "'S' is no base unit"), ("R^d", "'d' is neither a number nor")])
def test_what_is_no_unit_is_refused(unit, message):
    """With the unit as it was written."""
    with pytest.raises(UsageError, match=message):
        factor(unit, SIZES, {"c": 0.5})
