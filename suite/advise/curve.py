"""A measured learning curve: the quality by what was spent, from a table or from TensorBoard's event files."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from suite.curves.csv_points import Table
from suite.curves.forecasting.names import assumed
from suite.curves.forecasting.schedule import NO_SCHEDULE, before_cooldown, cooled, is_rate, is_training_time
from suite.errors import UsageError

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
    train: tuple[Array, Array] | None = None
    rate: tuple[Array, Array] | None = None
    notes: tuple[str, ...] = ()

    def curve(self, *, kind: str = "auto", better: str | None = None, annealed: bool = False) -> LearningCurve:
        """The learning curve, up to the cooldown of a learning rate unless the points are ``annealed``.

        Raises `ExtrapolationError` where nothing says which direction is better.
        """
        columns = [self.resource, self.quality]
        if self.train is not None:
            columns.append(_at(self.resource, self.train))
        kept, notes = np.ones(len(self.resource), dtype=bool), list(self.notes)
        log = not annealed and (self.rate is not None or is_training_time(self.x))
        if log and self.rate is not None:
            kept = before_cooldown(self.resource, _at(self.resource, self.rate))
            notes.append(cooled(self.x, self.resource, kept))
        elif log:
            notes.append(NO_SCHEDULE.format(x=self.x))
        rows = zip(*(column[kept].tolist() for column in columns), strict=True)
        found = averaged(self.source, rows, kind=kind, better=better)
        return replace(found, annealed=not log, notes=tuple(notes)).named(self.y)


def _at(resource: Array, pair: tuple[Array, Array]) -> Array:
    """Values that may be logged at resources of their own, at ``resource`` [n]: interpolated, the nearest outside."""
    amounts, place = np.unique(pair[0], return_inverse=True)
    means = np.bincount(place, weights=pair[1]) / np.bincount(place)
    return np.asarray(np.interp(resource, amounts, means))


def from_csv(
    path: Path, x: str, y: str, *, train: str | None = None, rate: str | None = None, where: Sequence[str] = ()
) -> Measured:
    """The columns ``x``, ``y`` and ``train`` of a CSV file, with the learning ``rate``.

    A column that is called like a learning rate is taken for one. Raises `TableError` for a file, line or cell that
    cannot be used.
    """
    table = Table.read(path, [x, y])
    points = table.points([x, y], amounts=[x], where=where)
    rate = rate or next((name for name in table.header.cells if is_rate(name) and name not in {x, y}), None)
    beside = {name: _pair(table, x, name, where) for name in (train, rate) if name}
    return Measured(
        source=str(path), x=x, y=y, resource=points[x], quality=points[y], train=beside.get(train or ""),
        rate=beside.get(rate or ""), notes=points.notes,
    )  # fmt: skip


def _pair(table: Table, x: str, name: str, where: Sequence[str]) -> tuple[Array, Array]:
    points = table.points([x, name], where=where)
    return points[x], points[name]
