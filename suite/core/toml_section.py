"""Typed access to the fields of one TOML table; each fault becomes an error that names file and line."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from suite.core.errors import ExpectationFileError, unknown

if TYPE_CHECKING:
    from pathlib import Path

    from suite.core.toml_lines import Lines


@dataclass(frozen=True, kw_only=True)
class Section:
    """One table: its ``data``, and its ``keys`` within the file."""

    data: Mapping[str, Any]
    keys: tuple[str, ...]
    path: Path
    lines: Lines

    def fault(self, problem: str, key: str | None = None) -> ExpectationFileError:
        """An error at the line of ``key``, or of the table where it has none."""
        keys = (*self.keys, key) if key else self.keys
        return ExpectationFileError(self.path, self.lines.of(*keys), problem)

    def section(self, key: str) -> Section | None:
        """The table under ``key``, or none where it is absent."""
        if key not in self.data:
            return None
        if not isinstance(self.data[key], Mapping):
            raise self.fault(f"{key} must be a table, not {self.data[key]!r}", key)
        return Section(data=self.data[key], keys=(*self.keys, key), path=self.path, lines=self.lines)

    def allow(self, known: Collection[str]) -> None:
        """Refuse keys that nobody reads."""
        for key in self.data:
            if key not in known:
                raise self.fault(str(unknown("key", key, known)), key)

    def require(self, key: str, example: str) -> None:
        """Refuse a table without ``key``."""
        if key not in self.data:
            raise self.fault(f"{key} is missing; add {example}")

    def number(self, key: str) -> float | None:
        """A finite number, an int where the file has one."""
        value = self.data.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.fault(f"{key} must be a number, not {value!r}; {_as_number(value)}", key)
        if not _finite(value):
            raise self.fault(f"{key} must be finite, not {value!r}; leave a missing bound out", key)
        return value

    def count(self, key: str) -> int | None:
        """An int of at least 1."""
        value = self.data.get(key)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
            raise self.fault(f"{key} must be a whole number of at least 1, not {value!r}", key)
        return value

    def text(self, key: str) -> str | None:
        """A text that is not empty."""
        value = self.data.get(key)
        if value is not None and not (isinstance(value, str) and value.strip()):
            raise self.fault(f"{key} must be a text that is not empty, not {value!r}", key)
        return value

    def day(self, key: str) -> date | None:
        """A date without a time."""
        value = self.data.get(key)
        if value is not None and type(value) is not date:  # a datetime is a date too
            raise self.fault(f"{key} must be a date such as 2026-11-23, without quotes or time, not {value!r}", key)
        return value

    def choice(self, key: str, known: Collection[str]) -> None:
        """Refuse any text but those of ``known``; the nearest is suggested."""
        text = self.text(key)
        if text is not None and text not in known:
            raise self.fault(str(unknown(key, text, known)), key)

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts; none where it is absent."""
        value = self.data.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
            raise self.fault(f"{key} must be a list of texts, not {value!r}", key)
        return tuple(value)


def _as_number(value: object) -> str:
    """How to write what was meant as a number."""
    percent = re.fullmatch(r"\s*(-?[\d.]+)\s*%\s*", value) if isinstance(value, str) else None
    try:
        return f"write {float(percent[1]) / 100:g}" if percent else "write it without quotes"
    except ValueError:
        return "write it without quotes"


def _finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # an int that no float can hold
        return False
