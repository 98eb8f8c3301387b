"""A user's own points: two or three columns of a CSV file, checked cell by cell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from suite.analysis.scaling.compare import CurvePoints
from suite.curves import ExtrapolationError
from suite.curves.csv_points import CsvPoints, Table, TableError
from suite.curves.forecasting.names import assumed
from suite.curves.forecasting.schedule import Usable, rate_column, usable
from suite.curves.outliers import named, spikes

DataError = TableError


@dataclass(frozen=True, kw_only=True)
class Columns:
    """Names of the columns with the resource, the quality and, if they are there, its noise and the learning rate."""

    x: str
    y: str
    sigma: str | None = None
    rate: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        return (self.x, self.y) if self.sigma is None else (self.x, self.y, self.sigma)


def read(
    path: Path, columns: Columns, *, where: Sequence[str] = (), kind: str | None = None, better: str | None = None,
    annealed: bool = False,
) -> CurvePoints:  # fmt: skip
    """The points of a CSV file with a header line; other columns and empty lines are left alone.

    Left out, with a note each: rows without a value, a resource of 0, points of a learning rate's cooldown unless all
    are ``annealed``, outliers. Raises `TableError` for a file, line or cell that cannot be used.
    """
    table = Table.read(path, columns.names)
    noise = [columns.sigma] if columns.sigma else []
    points = table.points(columns.names, amounts=[columns.x], positive=noise, where=where)
    chosen = _usable(table, points, columns, where, annealed=annealed)
    kept = chosen.kept.copy()
    x, y = points[columns.x], points[columns.y]
    off = np.zeros(len(x), dtype=bool)
    off[kept] = spikes(x[kept], y[kept])
    kept &= ~off
    direction, said = _direction(columns.y, points, kind, better)
    return CurvePoints(
        resource=x[kept], quality=y[kept], sigma=points[noise[0]][kept] if noise else None, **direction,
        annealed=chosen.annealed, notes=(said, *points.notes, *chosen.notes, *named(x, y, off, columns.x)),
    )  # fmt: skip


def _usable(table: Table, points: CsvPoints, columns: Columns, where: Sequence[str], *, annealed: bool) -> Usable:
    """The points that are not of a cooldown."""
    rate = columns.rate or rate_column(table.header.cells, columns.names)
    own = None if rate is None else table.points([columns.x, rate], where=where)
    pair = None if own is None else (own[columns.x], own[rate or ""])
    return usable(columns.x, points[columns.x], pair, annealed=annealed)


def _direction(name: str, points: CsvPoints, kind: str | None, better: str | None) -> tuple[dict[str, str], str]:
    """What the quality is, and that in a sentence; nothing where neither its name nor an option tells."""
    try:
        found = assumed(name, points[name], kind, better)
    except ExtrapolationError as error:
        return {}, f"no forecast by `extrapolate`: {error}"
    return {"kind": found.kind.space, "better": found.kind.better}, found.said
