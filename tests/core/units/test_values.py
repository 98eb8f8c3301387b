"""Figures as people read them."""
# the expected value stands on the left

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suite.core.units.values import change, number, percent, plain, points, scaled, size, times


@pytest.mark.parametrize(
    ("expected", "value", "bounds"),
    [
        ("1.98", 1.98, []),
        ("2.167", 2.1669, []),
        ("2.16997", 2.16997, [2.17]),
        ("151,234", 151234.0, []),
        ("123,457", 123456.7, []),
        ("0.001235", 0.00123456, []),
        ("0", 0.0, [0.1]),
    ],
)
def test_numbers_have_few_digits_but_stay_on_their_side_of_a_bound(expected, value, bounds):
    """A value just below its bound is not shown as equal to it."""
    assert expected == number(value, bounds=bounds)


@given(st.floats(min_value=-1e12, max_value=1e12), st.floats(min_value=-1e12, max_value=1e12))
@settings(deadline=None)
def test_a_shown_number_is_on_the_same_side_of_its_bound(value, bound):
    """Rounding never turns a regression into a pass for the reader."""
    shown = float(number(value, bounds=[bound]).replace(",", ""))
    assert (value < bound, value > bound) == (shown < bound, shown > bound)


@pytest.mark.parametrize(
    ("expected", "shown"),
    [
        ("97.35 %", percent(0.97351)),
        ("-", percent(None)),
        ("+0.00", points(-0.00001)),
        ("+1.20", points(0.012, 0.01, None)),
        ("-0.28 [-0.61, +0.06]", points(-0.0028, -0.0061, 0.0006)),
        ("1.235 bit", plain(1.23456, "bit")),
        ("0.01235", plain(0.0123456)),
        ("-", plain(None, "bit")),
        ("-0.0123 [-0.02, +0.004]", change(-0.01234, -0.02, 0.004)),
        ("+0", change(0.0)),
        ("812", scaled(812)),
        ("14.4 k", scaled(14_410)),
        ("1.00 M", scaled(999_600)),
        ("2.63 M", scaled(2_634_123)),
        ("819 M", scaled(818_925_568)),
        ("10.0 G", scaled(9_999_000_000)),
        ("-", scaled(None)),
        ("2.24x [2.20, 2.28]", times(2.24, 2.2, 2.28)),
        ("0.97x", times(0.97)),
        ("512 B", size(512)),
        ("151.2 kB", size(151_234)),
        ("1.0 MB", size(999_960)),
        ("12.3 MB", size(12_345_678)),
        ("3.0 GB", size(3e9)),
        ("-", size(None)),
    ],
)
def test_values_have_sensible_digits(expected, shown):
    """Two decimals for shares and ratios, one for sizes."""
    assert expected == shown
