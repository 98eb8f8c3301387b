"""A measured learning curve: the quality by what was spent, from a table or from TensorBoard's event files."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from suite.core.errors import UsageError
from suite.curves.csv_points import Table
from suite.curves.forecasting.names import assumed
from suite.curves.forecasting.schedule import Pair, at, rate_column, usable
from suite.curves.outliers import named, spikes

Array = NDArray[np.float64]
Point = tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class LearningCurve:
    """``quality`` [n] reached with ``resource`` [n] (ascending, distinct; repetitions are averaged).

    ``train`` [n] is the same quality on the training data, where it was recorded. ``kind`` and ``better`` as in
    `suite.curves.extrapolate`; advice needs one of them. ``annealed`` is false for the log of one training. ``notes``
    say what was assumed and left out.
    """

    source: str
    resource: Array
    quality: Array
    train: Array | None = None
    kind: str = "auto"
    better: str | None = None
    annealed: bool = True
    notes: tuple[str, ...] = ()

    def named(self, name: str) -> LearningCurve:
        """With kind and direction as the quality's ``name`` tells. Raises `ExtrapolationError` where nothing does."""
        found = assumed(name, self.quality, self.kind, self.better)
        kind, notes = found.kind, (found.said, *self.notes)
        return replace(self, kind=kind.space, better=kind.better, notes=notes)


def averaged(source: str, points: Iterable[Point], *, kind: str = "auto", better: str | None = None) -> LearningCurve:
    """The curve of points (resource, quality) or (resource, quality, training quality) in any order.

    Raises `UsageError` where there is none.
    """
    by_resource: dict[float, list[Point]] = defaultdict(list)
    for resource, *values in points:
        by_resource[resource].append(tuple(values))
    if not by_resource:
        raise UsageError(f"{source} holds no points")
    rows = [[fmean(column) for column in zip(*by_resource[each], strict=True)] for each in sorted(by_resource)]
    columns = np.array(rows, dtype=np.float64).T
    train = columns[1] if len(columns) > 1 else None
    amounts = np.array(sorted(by_resource), dtype=np.float64)
    return LearningCurve(source=source, resource=amounts, quality=columns[0], train=train, kind=kind, better=better)


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What was recorded: the ``quality`` [n] called ``y`` at the ``resource`` [n] called ``x``, in any order.

    ``train`` and ``rate`` are the training quality and the learning rate at resources of their own, each as a pair
    [m] and [m], or None.
    """

    source: str
    x: str
    y: str
    resource: Array
    quality: Array
    train: Pair | None = None
    rate: Pair | None = None
    notes: tuple[str, ...] = ()

    def curve(self, *, kind: str = "auto", better: str | None = None, annealed: bool = False) -> LearningCurve:
        """The learning curve, up to the cooldown of a learning rate unless the points are ``annealed``.

        Raises `ExtrapolationError` where nothing says which direction is better.
        """
        columns = [self.resource, self.quality]
        if self.train is not None:
            columns.append(at(self.resource, self.train))
        chosen = usable(self.x, self.resource, self.rate, annealed=annealed)
        off = np.zeros(len(self.resource), dtype=bool)
        off[chosen.kept] = spikes(self.resource[chosen.kept], self.quality[chosen.kept])
        rows = zip(*(column[chosen.kept & ~off].tolist() for column in columns), strict=True)
        found = averaged(self.source, rows, kind=kind, better=better)
        notes = (*self.notes, *chosen.notes, *named(self.resource, self.quality, off, self.x))
        return replace(found, annealed=chosen.annealed, notes=notes).named(self.y)


def from_csv(
    path: Path, x: str, y: str, *, train: str | None = None, rate: str | None = None, where: Sequence[str] = ()
) -> Measured:
    """The columns ``x``, ``y`` and ``train`` of a CSV file, with the learning ``rate``.

    A column that is called like a learning rate is taken for one. Raises `TableError` for a file, line or cell that
    cannot be used.
    """
    table = Table.read(path, [x, y])
    points = table.points([x, y], amounts=[x], where=where)
    rate = rate or rate_column(table.header.cells, (x, y))
    beside = {name: _pair(table, x, name, where) for name in (train, rate) if name}
    return Measured(
        source=str(path), x=x, y=y, resource=points[x], quality=points[y], train=beside.get(train or ""),
        rate=beside.get(rate or ""), notes=points.notes,
    )  # fmt: skip


def _pair(table: Table, x: str, name: str, where: Sequence[str]) -> Pair:
    points = table.points([x, name], where=where)
    return points[x], points[name]
