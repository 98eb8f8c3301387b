"""What machine time, electricity, storage and work cost: the file ``prices.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from types import MappingProxyType

from suite.core.errors import ExpectationFileError, ResultsError
from suite.core.toml_lines import Lines
from suite.core.toml_section import Section

EXAMPLE = """\
# Prices of `suite report` and `suite roi`. Any line can be left out; so are then the columns that need it.

currency = "EUR"       # only a name
source = "the price list of our provider, 2 cores on demand"
date = 2026-11-23      # of the prices
kwh = 0.30             # a kilowatt hour; leave it out where the machine hour includes electricity
watts = 65             # power of the machine under load; energy is computed from it where none was measured
gb_month = 0.02        # storing 1 GB (1e9 bytes) of artefact for a month
engineer_hour = 80     # an hour of work
adoption_hours = 4     # hours of work until a technique is in production
items_per_day = 5e6    # inferences a day

[hour]                 # a machine hour, for serving and for training; hour = 2.5 is the same for every machine
default = 2.5          # of machines that have no line of their own
"cuda-sm90" = 4.2      # a machine or a family, as `suite doctor` names them
"""

SECONDS_PER_HOUR, JOULES_PER_KWH = 3600.0, 3.6e6
DAYS_PER_MONTH = 365.25 / 12
DEFAULT = "default"
MOST = 1e15  # of any price: sums and products stay numbers
NUMBERS = ("kwh", "watts", "gb_month", "engineer_hour", "adoption_hours", "items_per_day")
KEYS = ("currency", "source", "date", "hour", *NUMBERS)


@dataclass(frozen=True, kw_only=True)
class Prices:
    """Prices in one currency, each `None` where the file does not give it; nothing is negative.

    ``hour`` is that of every machine without a price of its own in ``hours``, by machine or family. ``whose`` says
    whose hour was taken, where the file gives several. ``source`` and
    ``date`` say where the prices come from, ``path`` and ``line`` where the price of an hour stands.
    """

    currency: str = "money"
    hour: float | None = None
    hours: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    whose: str = ""
    kwh: float | None = None
    watts: float | None = None
    gb_month: float | None = None
    engineer_hour: float | None = None
    adoption_hours: float | None = None
    items_per_day: float | None = None
    source: str | None = None
    date: date | None = None
    path: Path | None = None
    line: int | None = None

    def at(self, machine: str | None, family: str | None = None) -> Prices:
        """The prices of one machine (``None``: it is not known): its own hour, its family's, or the default.

        Raises `ExpectationFileError` where the file prices hours, and none of these.
        """
        own = (name for name in (machine, family) if name is not None and name in self.hours)
        name = next(own, DEFAULT)
        hour = self.hours.get(name, self.hour)
        if hour is None and self.hours:
            whose = "a machine that is not known" if machine is None else f"{machine} (family {family})"
            known = ", ".join(self.hours)
            problem = f"no price of an hour of {whose}, only of {known}; add one, or {DEFAULT}"
            raise ExpectationFileError(self.path or "prices", self.line, problem)
        return replace(self, hour=hour, hours={}, whose=name if self.hours else "")

    def __str__(self) -> str:
        """Where the prices come from, and what they say of an hour: ``EUR 2.5 an hour (prices.toml, 2026-11-23)``."""
        whose = f" of {self.whose}" if self.whose else ""
        hour = [] if self.hour is None else [f"{self.hour:g} an hour{whose}"]
        power: list[str] = []
        if self.kwh is not None:
            known = self.watts is not None
            power = [f"{self.watts:g} W at {self.kwh:g} a kWh" if known else "no electricity, for watts are not given"]
        origin = ", ".join(str(part) for part in (self.path, self.source, self.date) if part is not None)
        return f"{self.currency} {' and '.join([*hour, *power]) or 'without an hour'}{f' ({origin})' if origin else ''}"

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
    except ValueError as error:  # or a number of more digits than Python reads
        raise ExpectationFileError(path, None, f"is not valid TOML: {error}; correct or remove that line") from error
    section = Section(data=data, keys=(), path=path, lines=Lines(text))
    section.allow(KEYS)
    hour, hours = _hours(section)
    return Prices(
        currency=section.text("currency") or Prices.currency, hour=hour, hours=MappingProxyType(hours),
        source=section.text("source"), date=section.day("date"), path=path, line=section.lines.of("hour"), whose="",
        **{name: _price(section, name) for name in NUMBERS},
    )  # fmt: skip


def _hours(section: Section) -> tuple[float | None, dict[str, float]]:
    """The price of an hour of any machine, and those of machines and families by name."""
    if not isinstance(section.data.get("hour"), Mapping):
        return _price(section, "hour"), {}
    table = section.section("hour")
    priced = {name: _price(table, name) for name in table.data} if table else {}
    hours = {name: price for name, price in priced.items() if price is not None}
    return hours.pop(DEFAULT, None), hours


def _price(section: Section, name: str) -> float | None:
    value = section.number(name)
    if value is not None and value < 0:
        raise section.fault(f"{name} is {value!r}, but nothing has a negative price; write 0 or more", name)
    if value is not None and value > MOST:
        raise section.fault(f"{name} is {value:.3g}, more than anything costs; write at most {MOST:g}", name)
    return None if value is None else float(value) + 0.0  # no -0
