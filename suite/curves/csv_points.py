"""Columns of numbers from a user's CSV file: the one reader of `suite advise`, `suite curves fit` and `curves law`.

A cell that is not read as it was meant gives another curve, so anything doubtful is refused with file and line. Rows
without a value (as exports of several charts have) are skipped and counted; `CsvPoints.notes` says so.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from suite.core.errors import SuiteError, UsageError, unknown

Array = NDArray[np.float64]

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs"}
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
APART = ("workload", "axis", "resource")
"""Columns of this suite's tables that name a curve: one file may hold several curves."""
PLAIN = "write numbers with a decimal point and without thousands separators, as in 1234.5"


class TableError(SuiteError):
    """A table that no curve can be read from; names the file, and the line and column where there is one."""

    def __init__(self, path: Path, line: int | None, problem: str) -> None:
        self.path, self.line, self.problem = path, line, problem
        super().__init__(f"{path}:{line}: {problem}" if line else f"{path}: {problem}")


@dataclass(frozen=True)
class CsvRow:
    """The cells of one row, and the line on which it begins (counted from 1)."""

    line: int
    cells: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class CsvPoints:
    """``columns`` [n] by name, and the ``lines`` of the n rows."""

    columns: Mapping[str, Array]
    lines: tuple[int, ...]
    notes: tuple[str, ...] = ()
    """What was skipped, a sentence each."""

    def __getitem__(self, name: str) -> Array:
        """One column [n]."""
        return self.columns[name]


@dataclass(frozen=True, kw_only=True)
class Table:
    """A header and its rows, each with as many cells as the header."""

    path: Path
    header: CsvRow
    rows: tuple[CsvRow, ...]

    @classmethod
    def read(cls, path: Path, names: Sequence[str] = ()) -> Table:
        """The table in a file. Its cells are separated as the header with the columns ``names`` says.

        Raises `TableError` for a file that cannot be read and for a row that does not have the header's columns.
        """
        text = _text(path)
        separator = _separator(text, names)
        rows = list(_rows(path, text, separator))
        if not rows:
            raise TableError(path, None, "the file is empty; its first line must name the columns, such as tokens,loss")
        header, *others = rows
        for row in others:
            if len(row.cells) != len(header.cells):
                count = f"{len(row.cells)} cells under {len(header.cells)} columns"
                hint = PLAIN if len(row.cells) > len(header.cells) else "fill the row in or remove it"
                raise TableError(path, row.line, f"{count}; {hint}")
        return cls(path=path, header=header, rows=tuple(others))

    def points(
        self,
        names: Sequence[str],
        *,
        amounts: Sequence[str] = (),
        positive: Sequence[str] = (),
        where: Sequence[str] = (),
    ) -> CsvPoints:
        """The numbers below ``names``, of the rows that every ``COLUMN=VALUE`` of ``where`` allows.

        Rows without a value in one of ``names`` are skipped and counted. So are rows with 0 in one of the ``amounts``:
        a logarithmic axis has no 0. Amounts below 0 and ``positive`` columns not above 0 are refused. Raises
        `TableError` for a column or cell that cannot be used, `UsageError` for a malformed condition.
        """
        places = {name: self._place(name) for name in names}
        chosen = self._chosen(where, set(places))
        filled = [row for row in chosen if all(row.cells[places[name]] for name in names)]
        read = [(row, {name: self._number(row, name, place) for name, place in places.items()}) for row in filled]
        kept = [(row, cells) for row, cells in read if all(cells[name] for name in amounts)]
        if not kept:
            lacking = f"a value {'other than 0 ' if read else ''}in column {' or '.join(map(repr, names))}"
            raise TableError(self.path, None, f"no row has {lacking}")
        for row, cells in kept:
            self._check_positive(row, cells, (*amounts, *positive))
        at_zero = [row for row, cells in read if not all(cells[name] for name in amounts)]
        return CsvPoints(
            columns={name: np.array([cells[name] for _, cells in kept]) for name in places},
            lines=tuple(row.line for row, _ in kept),
            notes=(*_skipped(chosen, filled, names), *_zeros(at_zero, amounts)),
        )

    def _place(self, name: str) -> int:
        cells = self.header.cells
        if name not in cells:
            numbers = all(NUMBER.fullmatch(cell) for cell in cells)
            hint = "; the first line must name the columns" if numbers else ""
            raise TableError(self.path, self.header.line, f"{unknown('column', name, filter(None, cells))}{hint}")
        if cells.count(name) > 1:
            raise TableError(self.path, self.header.line, f"column {name!r} is twice in the header; rename one")
        return cells.index(name)

    def _chosen(self, where: Sequence[str], wanted: set[str]) -> list[CsvRow]:
        conditions = [(self._place(name), value) for name, value in map(_condition, where)]
        chosen = [row for row in self.rows if all(row.cells[place] == value for place, value in conditions)]
        if not chosen:
            said = f"no row has {' and '.join(where)}" if where else "a header and no row below the header"
            raise TableError(self.path, None, said)
        for column in set(APART) & set(self.header.cells) - wanted:
            values = sorted({row.cells[self._place(column)] for row in chosen} - {""})
            if len(values) > 1 and not all(map(NUMBER.fullmatch, values)):
                several = f"rows of several curves, {column} {', '.join(values)}"
                raise TableError(self.path, None, f"{several}; add --where {column}={values[0]}")
        return chosen

    def _number(self, row: CsvRow, name: str, place: int) -> float:
        text = row.cells[place]
        value = float(text) if NUMBER.fullmatch(text) else math.nan
        if math.isfinite(value):
            return value
        hint = PLAIN if "," in text else "correct or remove the row"
        raise TableError(self.path, row.line, f"column {name!r} holds {text!r}, which is no finite number; {hint}")

    def _check_positive(self, row: CsvRow, cells: Mapping[str, float], names: Sequence[str]) -> None:
        for name in names:
            if cells[name] <= 0:
                problem = f"column {name!r} must be above 0, got {cells[name]:g}; leave the row out"
                raise TableError(self.path, row.line, problem)


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise TableError(path, None, f"cannot be read: {error.strerror or error}") from error
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise TableError(path, None, "cannot be read: it is UTF-16; save it as CSV in UTF-8")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise TableError(path, line, "cannot be read: it is no text in UTF-8; save it as CSV in UTF-8") from error


def _separator(text: str, names: Sequence[str]) -> str:
    """What separates the cells of the header: what gives all ``names``, else what gives the most cells."""
    line = next((line for line in text.splitlines() if line.strip()), "")
    if len(line) > csv.field_size_limit():
        return ","
    headers = {separator: [cell.strip() for cell in line.split(separator)] for separator in SEPARATORS}
    unquoted = {separator: [cell.strip('"') for cell in cells] for separator, cells in headers.items()}
    return max(SEPARATORS, key=lambda each: (all(n in unquoted[each] for n in names), len(unquoted[each])))


def _rows(path: Path, text: str, separator: str) -> Iterator[CsvRow]:
    """The rows that hold anything."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    line = 1
    try:
        for cells in reader:
            stripped = tuple(map(str.strip, cells))
            if any(stripped):
                yield CsvRow(line, stripped)
            line = reader.line_num + 1
    except csv.Error as error:
        raise TableError(path, line, f"cannot be read as CSV: {error}") from error


def _condition(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise UsageError(f"--where takes COLUMN=VALUE, as in workload=digits_cnn; got {text!r}")
    return name.strip(), value.strip()


def _skipped(chosen: Sequence[CsvRow], filled: Sequence[CsvRow], names: Sequence[str]) -> Iterator[str]:
    kept = {row.line for row in filled}
    if missing := [row.line for row in chosen if row.line not in kept]:
        columns = " or ".join(map(repr, names))
        yield f"skipped {len(missing)} of {len(chosen)} rows without a value in column {columns} {_places(missing)}"


def _zeros(rows: Sequence[CsvRow], amounts: Sequence[str]) -> Iterator[str]:
    if rows:
        columns = " or ".join(map(repr, amounts))
        yield (
            f"skipped {len(rows)} row{'s' * (len(rows) > 1)} with 0 in column {columns} "
            f"{_places([row.line for row in rows])}: 0 has no place on a logarithmic axis; if 0 means the first of "
            "several epochs, count from 1"
        )


def _places(lines: Sequence[int]) -> str:
    return f"(line {lines[0]})" if len(lines) == 1 else f"(lines {lines[0]} to {lines[-1]})"
