"""Quantities with units: what people type, in the metric's own unit."""
# the expected value stands on the left

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plan_settings import EXAMPLES

from suite.core.errors import UsageError
from suite.core.units.quantities import SHOWN, UNITS, parse_quantity, spell

PAIRS = [(unit, name) for unit, names in UNITS.items() for name in names]


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("100kB", "B", 100_000.0),
        ("1.5 MiB", "B", 1_572_864.0),
        ("250000", "B", 250_000.0),
        ("5ms", "s", 0.005),
        ("300us", "s", 0.0003),
        ("300µs", "s", 0.0003),
        ("2min", "s", 120.0),
        ("1kWh", "J", 3.6e6),
        ("95%", "1", 0.95),
        ("-0.5 %", "1", -0.005),
        ("1.5x", "1", 1.5),
        ("200k", "1", 200_000.0),
        ("1e6", "1", 1e6),
        ("1_000/s", "1/s", 1000.0),
        ("1000 1/s", "1/s", 1000.0),
        ("2.1bit", "bit", 2.1),
        ("3 dB", "dB", 3.0),
    ],
)
def test_a_quantity_is_read_in_the_metrics_unit(text, unit, value):
    """Exactly: 5ms is the float 0.005."""
    assert value == parse_quantity(text, metric="m", unit=unit)


@pytest.mark.parametrize(
    ("text", "unit", "message"),
    [
        ("5ms", "B", r"'5ms' is in seconds \(ms\), but m is measured in bytes \(B\); write a quantity like 100kB"),
        ("50%", "s", r"is in a plain number \(%\), but m is measured in seconds \(s\)"),
        ("5 KB", "B", r"unknown unit 'KB' \(did you mean kB\?\); m is measured in bytes"),
        ("5 1", "1", "unknown unit '1'"),
        ("5 parsec", "dB", r"unknown unit 'parsec'; m is measured in dB \(dB\); write a quantity like 1.5 dB"),
        ("-1kB", "B", "negative, which bytes never are"),
        ("", "B", "'' is no quantity; write one like 100kB"),
        ("nan", "1", "'nan' is no quantity"),
        ("inf", "1", "'inf' is no quantity"),
        ("1e999", "1", "too large for a float"),
        ("1e999999999999999999999", "1", "unknown unit 'e9+'"),
        ("9" * 500, "1", "is no quantity"),
    ],
)
def test_what_is_no_quantity_of_the_metric_is_refused(text, unit, message):
    """With both units and an example that works."""
    with pytest.raises(UsageError, match=message):
        parse_quantity(text, metric="m", unit=unit)


@EXAMPLES
@given(text=st.text("0123456789.,eE+-_kKMGBsmuµ%/x h", max_size=12), unit=st.sampled_from(sorted(UNITS)))
def test_any_text_is_a_number_or_a_usage_error(text, unit):
    """Nothing else ever comes out."""
    with suppress(UsageError):
        assert isinstance(parse_quantity(text, metric="m", unit=unit), float)


@EXAMPLES
@given(number=st.integers(0, 10**12), pair=st.sampled_from(PAIRS))
def test_units_are_the_sizes_that_they_say(number, pair):
    """The parsed size over that of one unit is the number again."""
    unit, name = pair
    one = parse_quantity(f"1{name}", metric="m", unit=unit)
    assert number == pytest.approx(parse_quantity(f"{number}{name}", metric="m", unit=unit) / one, rel=1e-15)


@EXAMPLES
@given(value=st.floats(1e-9, 1e15), unit=st.sampled_from(sorted(UNITS)))
def test_what_is_spelled_is_read_again(value, unit):
    """To the four digits that are shown; without commas, which people do not type."""
    text = spell(value, unit).replace(",", "")
    assert value == pytest.approx(parse_quantity(text, metric="m", unit=unit), rel=6e-4)


@EXAMPLES
@given(
    value=st.floats(1e-3, 1e12), nudge=st.sampled_from([1 - 1e-7, 1.0, 1 + 1e-7]), unit=st.sampled_from(sorted(SHOWN))
)
def test_a_figure_never_reads_as_on_the_other_side_of_its_bound(value, nudge, unit):
    """100.00001 kB is not shown as 100 kB under a budget of 100 kB."""
    bound = value * nudge
    read = parse_quantity(spell(value, unit, bound=bound).replace(",", ""), metric="m", unit=unit)
    assert not (read < bound * (1 - 1e-15) and value > bound)
    assert not (read > bound * (1 + 1e-15) and value < bound)
