"""What machine time, electricity, storage and work cost: the file ``prices.toml``."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields
from pathlib import Path

from suite.core.errors import ExpectationFileError, ResultsError
from suite.gate.files.fields import Section
from suite.gate.files.lines import Lines

EXAMPLE = """\
# Prices of `suite roi --prices prices.toml`. Any line can be left out; so are then the columns that need it.

currency = "EUR"       # only a name
hour = 2.5             # a machine hour, for serving and for training
kwh = 0.30             # a kilowatt hour; leave it out where the machine hour includes electricity
watts = 65             # power of the machine under load; energy is computed from it where none was measured
gb_month = 0.02        # storing 1 GB (1e9 bytes) of artefact for a month
engineer_hour = 80     # an hour of work
adoption_hours = 4     # hours of work until a technique is in production
items_per_day = 5e6    # inferences a day
"""

SECONDS_PER_HOUR, JOULES_PER_KWH = 3600.0, 3.6e6
DAYS_PER_MONTH = 365.25 / 12


@dataclass(frozen=True, kw_only=True)
class Prices:
    """Prices in one currency, each `None` where the file does not give it; nothing is negative."""

    currency: str = "money"
    hour: float | None = None
    kwh: float | None = None
    watts: float | None = None
    gb_month: float | None = None
    engineer_hour: float | None = None
    adoption_hours: float | None = None
    items_per_day: float | None = None

    @property
    def second(self) -> float | None:
        """A second of machine time with its electricity; `None` where neither is priced."""
        power = None if self.kwh is None or self.watts is None else self.watts * self.kwh / JOULES_PER_KWH
        machine = None if self.hour is None else self.hour / SECONDS_PER_HOUR
        known = [part for part in (machine, power) if part is not None]
        return sum(known) if known else None

    @property
    def adoption(self) -> float | None:
        """The work until a technique is in production."""
        if self.engineer_hour is None or self.adoption_hours is None:
            return None
        return self.engineer_hour * self.adoption_hours

    @property
    def byte_day(self) -> float:
        """Storing a byte for a day; 0 where storage is not priced."""
        return (self.gb_month or 0.0) / 1e9 / DAYS_PER_MONTH


def read_prices(path: Path) -> Prices:
    """The prices of a file. Raises `ResultsError` where it cannot be read, and what `parse_prices` raises."""
    try:
        return parse_prices(path.read_text("utf-8"), path)
    except (OSError, UnicodeDecodeError) as error:
        raise ResultsError(f"cannot read {path}: {error}; `suite roi --example > prices.toml` writes one") from error


def parse_prices(text: str, path: Path = Path("prices.toml")) -> Prices:
    """The prices of a file's text.

    Raises an `ExpectationFileError` that names file and line for unknown keys, for what is no number and for
    negative prices.
    """
    text = text.replace("\r\n", "\n")
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ExpectationFileError(path, None, f"is not valid TOML: {error}; correct or remove that line") from error
    section = Section(data=data, keys=(), path=path, lines=Lines(text))
    names = [field.name for field in fields(Prices)]
    section.allow(names)
    numbers = {name: _price(section, name) for name in names if name != "currency"}
    return Prices(currency=section.text("currency") or Prices.currency, **numbers)


def _price(section: Section, name: str) -> float | None:
    value = section.number(name)
    if value is not None and value < 0:
        raise section.fault(f"{name} is {value!r}, but nothing has a negative price; write 0 or more", name)
    return None if value is None else float(value)
