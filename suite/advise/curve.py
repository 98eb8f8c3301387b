"""A measured learning curve: the quality by what was spent, from a table or from TensorBoard's event files."""

from __future__ import annotations

import csv
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from suite.errors import SuiteError, UsageError, unknown

Array = NDArray[np.float64]
Row = Mapping[str | None, str | None]

APART = ("workload", "axis")  # columns of a points table of which a curve has one value


class TableError(SuiteError):
    """A table that no curve can be read from; names the file, and the line and column where there is one."""

    def __init__(self, path: Path, line: int | None, problem: str) -> None:
        self.path, self.line, self.problem = path, line, problem
        super().__init__(f"{path}:{line}: {problem}" if line else f"{path}: {problem}")


@dataclass(frozen=True, kw_only=True)
class LearningCurve:
    """``quality`` [n] reached with ``resource`` [n] (ascending, distinct; repetitions are averaged).

    ``train`` [n] is the same quality on the training data, where it was recorded. ``kind`` and ``better`` as in
    `suite.curves.extrapolate`.
    """

    source: str
    resource: Array
    quality: Array
    train: Array | None = None
    kind: str = "auto"
    better: str | None = None


def averaged(
    source: str,
    points: Iterable[tuple[float, ...]],
    *,
    kind: str = "auto",
    better: str | None = None,
) -> LearningCurve:
    """The curve of points (resource, quality) or (resource, quality, training quality) in any order.

    Raises `UsageError` where there is none.
    """
    by_resource: dict[float, list[tuple[float, ...]]] = defaultdict(list)
    for resource, *values in points:
        by_resource[resource].append(tuple(values))
    if not by_resource:
        raise UsageError(f"{source} holds no points")
    rows = [[fmean(column) for column in zip(*by_resource[each], strict=True)] for each in sorted(by_resource)]
    columns = np.array(rows, dtype=np.float64).T
    train = columns[1] if len(columns) > 1 else None
    amounts = np.array(sorted(by_resource), dtype=np.float64)
    return LearningCurve(source=source, resource=amounts, quality=columns[0], train=train, kind=kind, better=better)


def read_csv(
    path: Path, x: str, y: str, *, train: str | None = None, where: Sequence[str] = ()
) -> Iterator[tuple[float, ...]]:
    """Points of the columns ``x``, ``y`` and ``train`` of the rows that every ``COLUMN=VALUE`` of ``where`` allows.

    Raises `TableError` for a file, line or cell that cannot be used.
    """
    columns = [x, y, *([train] if train else [])]
    rows = _rows(path, [*columns, *(_condition(text)[0] for text in where)])
    chosen = [(line, row) for line, row in rows if all(row[key] == value for key, value in map(_condition, where))]
    if not chosen:
        raise TableError(path, None, f"no row {'has ' + ' and '.join(where) if where else 'below the header'}")
    _one_curve(path, [row for _, row in chosen])
    return (tuple(_number(path, line, row, column) for column in columns) for line, row in chosen)


def _condition(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise UsageError(f"--where takes COLUMN=VALUE, as in workload=digits_cnn; got {text!r}")
    return name, value


def _rows(path: Path, needed: Iterable[str]) -> list[tuple[int, Row]]:
    """Rows with their lines. The header has every column of ``needed``."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            header = reader.fieldnames or []
            for name in needed:
                if name not in header:
                    raise TableError(path, 1, str(unknown("column", name, header)))
            return [(reader.line_num, row) for row in reader]
    except OSError as error:
        raise TableError(path, None, f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise TableError(path, None, "is no text in UTF-8; save it as UTF-8 with commas") from error
    except csv.Error as error:
        raise TableError(path, reader.line_num, f"is no CSV: {error}") from error


def _one_curve(path: Path, rows: Sequence[Row]) -> None:
    for column in APART:
        values = sorted({str(row[column]) for row in rows if column in row})
        if len(values) > 1:
            raise TableError(
                path, None, f"rows of several curves, {column} {', '.join(values)}; add --where {column}={values[0]}"
            )


def _number(path: Path, line: int, row: Row, column: str) -> float:
    text = row[column]
    if text is None or not text.strip():
        raise TableError(path, line, f"column {column!r} is empty; remove the row or fill it in")
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise TableError(path, line, f"column {column!r} holds {text!r}, which is no finite number")
    return value
