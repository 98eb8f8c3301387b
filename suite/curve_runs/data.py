"""A user's own points: two or three columns of a CSV file, checked cell by cell."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from suite.curve_runs.compare import Series
from suite.errors import SuiteError, unknown

Array = NDArray[np.float64]


class DataError(SuiteError):
    """A file of points that cannot be used; names the file, the line and the column."""


@dataclass(frozen=True, kw_only=True)
class Columns:
    """Names of the columns with the resource, the quality and, where it is known, the quality's noise."""

    x: str
    y: str
    sigma: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        return (self.x, self.y) if self.sigma is None else (self.x, self.y, self.sigma)


def read(path: Path, columns: Columns) -> Series:
    """The points of a CSV file with a header line; other columns and empty lines are left alone.

    Raises `DataError` for a file that cannot be read and for a cell that is no finite number, `UsageError` for a
    column that is not there.
    """
    cells, _ = cells_of(path, columns.names, free=(columns.y,))
    return Series(resource=cells[:, 0], quality=cells[:, 1], sigma=None if columns.sigma is None else cells[:, 2])


def cells_of(path: Path, names: Sequence[str], *, free: Sequence[str] = ()) -> tuple[Array, tuple[int, ...]]:
    """Numbers [n, columns] below ``names``, positive unless ``free``, and the line of each row. Raises as `read`."""
    lines = _lines(path)
    where, header = lines[0]
    for name in names:
        if name not in header:
            raise unknown(f"column of {path}", name, header)
        if header.count(name) > 1:
            raise DataError(f"{path}:{where}: column {name!r} stands twice in the header; rename one")
    places = [header.index(name) for name in names]
    cells = np.array([[_number(path, line, row, header, place) for place in places] for line, row in lines[1:]])
    if not len(cells):
        raise DataError(f"{path} has a header and no points; a curve needs at least as many as a family's parameters")
    numbers = tuple(line for line, _ in lines[1:])
    for column, name in enumerate(names):
        if name not in free:
            _check_positive(path, numbers, name, cells[:, column])
    return cells, numbers


def _lines(path: Path) -> list[tuple[int, list[str]]]:
    """The file's lines that hold anything, as cells, each with its number."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            found = [(reader.line_num, [cell.strip() for cell in row]) for row in reader if any(map(str.strip, row))]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        said = getattr(error, "strerror", None) or error
        raise DataError(f"{path} cannot be read: {said}; give a CSV file in UTF-8") from error
    if not found:
        raise DataError(f"{path} is empty; its first line must name the columns, such as tokens,loss")
    return found


def _number(path: Path, line: int, row: Sequence[str], header: Sequence[str], place: int) -> float:
    name = header[place]
    if len(row) != len(header):
        raise DataError(
            f"{path}:{line}: {len(row)} cells under {len(header)} columns; write numbers without thousands separators"
        )
    try:
        found = float(row[place])
    except ValueError:
        found = math.nan
    if not math.isfinite(found):
        raise DataError(
            f"{path}:{line}: column {name!r} must hold a finite number, got {row[place]!r}; mend or delete it"
        )
    return found


def _check_positive(path: Path, lines: Sequence[int], name: str, values: Array) -> None:
    """Resources and noise must be above 0: curves are about orders of magnitude."""
    wrong = np.flatnonzero(values <= 0)
    if len(wrong):
        at = int(wrong[0])
        raise DataError(f"{path}:{lines[at]}: column {name!r} must be above 0, got {values[at]:g}; leave the line out")
