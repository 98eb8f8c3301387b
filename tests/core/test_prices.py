"""A user's file of prices: what it says of a machine, and what is wrong with it, by file and line."""
# the expected value stands on the left

from pathlib import Path

import pytest

from suite.core.errors import ExpectationFileError, ResultsError
from suite.core.prices import EXAMPLE, Prices, parse_prices, read_prices

HOURS = """currency = "EUR"

[hour]
cpu-one = 1.0
cpu-family = 2.0
default = 3.0
"""


def test_the_example_of_prices_can_be_read():
    """Every key of it."""
    found = parse_prices(EXAMPLE)
    assert ("EUR", 2.5, 320.0, {"cuda-sm90": 4.2}) == (found.currency, found.hour, found.adoption, found.hours)
    assert None not in vars(found).values()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hour = 1\n\nkwhh = 0.3", "prices.toml:3: unknown key 'kwhh'; did you mean kwh"),
        ("# machine\nhour = -2.5", "prices.toml:2: hour is -2.5, but nothing has a negative price; write 0 or more"),
        ("hour = '2.5'", "prices.toml:1: hour must be a number, not '2.5'"),
        ("hour = true", "prices.toml:1: hour must be a number"),
        ("hour = inf", "prices.toml:1: hour must be finite"),
        ("hour = ", "prices.toml: is not valid TOML"),
        ("hour = nan", "prices.toml:1: hour must be finite, not nan"),
        ("[hour]\ndefault = 1\ncuda-sm90 = -4.2", "prices.toml:3: cuda-sm90 is -4.2, but nothing has a negative price"),
        ("[hour]\ndefault = '1'", "prices.toml:2: default must be a number, not '1'; write it without quotes"),
        ("date = '2026'", "prices.toml:1: date must be a date such as 2026-11-23"),
        ("source = ''", "prices.toml:1: source must be a text that is not empty"),
        ("kwh = 1\nhour = 1e300", r"prices.toml:2: hour is 1e\+300, more than anything costs; write at most 1e\+15"),
        ("hour = 1" + 5000 * "0", "is not valid TOML: Exceeds the limit"),
    ],
)
def test_a_faulty_file_of_prices_names_its_line(text, message):
    """And what to write."""
    with pytest.raises(ExpectationFileError, match=message):
        parse_prices(text)


@pytest.mark.parametrize(
    ("expected", "machine", "family"),
    [(1.0, "cpu-one", "cpu-family"), (2.0, "cpu-two", "cpu-family"), (3.0, "gpu", "cuda"), (3.0, None, None)],
)
def test_the_hour_of_a_machine_is_its_own_else_that_of_its_family_else_the_default(expected, machine, family):
    assert expected == parse_prices(HOURS).at(machine, family).hour


def test_one_hour_is_that_of_every_machine():
    assert 2.5 == parse_prices("hour = 2.5").at("any", "at all").hour


def test_a_machine_without_a_price_is_an_error_at_the_table_of_hours():
    """With what to add."""
    prices = parse_prices(HOURS.replace("default = 3.0\n", ""))
    message = (
        r"^prices.toml:3: no price of an hour of gpu \(family cuda\), only of cpu-one, cpu-family; add one, or default$"
    )
    with pytest.raises(ExpectationFileError, match=message):
        prices.at("gpu", "cuda")


def test_a_table_of_hours_needs_a_default_where_the_machine_is_not_known():
    """A CSV file does not say where it comes from."""
    with pytest.raises(ExpectationFileError, match="of a machine that is not known"):
        parse_prices("[hour]\ncpu-one = 1").at(None)


def test_without_hours_nothing_is_missing():
    """Electricity alone is a price, too."""
    assert parse_prices("kwh = 0.36\nwatts = 100").at("any").second == pytest.approx(1e-5)
    assert parse_prices("").at("any").second is None


def test_prices_say_where_they_come_from():
    text = 'currency = "EUR"\nsource = "a list"\ndate = 2026-11-23\nhour = 2.5\nkwh = 0.3\nwatts = 65'
    assert "EUR 2.5 an hour and 65 W at 0.3 a kWh (prices.toml, a list, 2026-11-23)" == str(parse_prices(text))
    assert "money without an hour" == str(Prices())
    assert "money 0 an hour (prices.toml)" == str(parse_prices("hour = -0.0"))
    assert str(parse_prices("hour = 1\nkwh = 0.3")) == (
        "money 1 an hour and no electricity, for watts are not given (prices.toml)"
    )
    assert "EUR 1 an hour of cpu-one (prices.toml)" == str(parse_prices(HOURS).at("cpu-one"))
    assert "EUR 3 an hour of default (prices.toml)" == str(parse_prices(HOURS).at("cpu-oen"))  # a slip is seen


def test_a_file_that_is_not_there_is_an_error_that_says_how_to_write_one(tmp_path):
    with pytest.raises(ResultsError, match=r"`suite roi --example > prices\.toml` writes one"):
        read_prices(Path(tmp_path, "none.toml"))
