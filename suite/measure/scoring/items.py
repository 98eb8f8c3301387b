"""The test items of one seed as a score sees them: a figure and a weight for each, or the outputs for an aggregate."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from suite.core.errors import OutputError
from suite.core.machine.energy_window import EnergyReading
from suite.registry.score import Score, Tree

Array = NDArray[Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class ItemValues:
    """``totals`` and ``weights`` [N] of a score's items; a plain figure weighs 1."""

    totals: Array
    weights: Array

    @property
    def value(self) -> float:
        return float(self.totals.sum() / self.weights.sum())

    @property
    def is_binary(self) -> bool:
        """Whether each item is right or wrong, so that exact intervals of proportions apply."""
        return bool(np.isin(self.totals, (0, 1)).all() and (self.weights == 1).all())

    def take(self, index: Array) -> ItemValues:
        return ItemValues(totals=self.totals[index], weights=self.weights[index])


@dataclass(frozen=True, kw_only=True, eq=False)
class Outcome:
    """The results of one seed: ``figures`` of each per-item score, outputs and targets where a score needs them whole.

    ``ids`` [N] name the items, ``fingerprints`` [N] are their targets' hashes. ``first_batch`` are the outputs of the
    first served batch, for comparison with what is timed. ``seconds_to_target`` is ``None`` if the target was not
    reached, ``seconds`` if an earlier run trained. ``energy`` is that of the training, with its epochs as calls, and
    ``energy_to_target`` that until the target was reached; ``None`` as the seconds, and where nothing was read.
    """

    seed: int
    ids: Array
    fingerprints: Array
    figures: Mapping[str, ItemValues]
    outputs: Tree = None
    first_batch: Tree = None
    targets: Tree = None
    seconds: float | None = 0.0
    seconds_to_target: float | None = None
    energy: EnergyReading | None = None
    energy_to_target: EnergyReading | None = None

    def __len__(self) -> int:
        return len(self.ids)


def figures_of(score: Score, outputs: Tree, targets: Tree, count: int) -> ItemValues:
    """The score's figures for ``count`` items. Raises `OutputError` for a wrong number of them, or one not finite."""
    assert score.per_item is not None  # noqa: S101  # aggregates are not asked
    found = score.per_item(outputs, targets)
    totals, weights = found if isinstance(found, tuple) else (found, None)
    figures = ItemValues(
        totals=_array(totals, score, count),
        weights=np.ones(count) if weights is None else _array(weights, score, count),
    )
    if not (np.isfinite(figures.totals).all() and np.isfinite(figures.weights).all()):
        raise OutputError(f"score {score.name!r} gave a figure that is not finite; check its per_item function")
    return figures


def joined(parts: Iterable[ItemValues]) -> ItemValues:
    """The figures of consecutive batches."""
    found = list(parts)
    return ItemValues(
        totals=np.concatenate([part.totals for part in found]), weights=np.concatenate([part.weights for part in found])
    )


def aligned(ours: Outcome, theirs: Outcome, names: tuple[str, str]) -> Array:
    """For each of ``ours`` items its place in ``theirs``. Raises `OutputError` where the two are not the same items."""
    order, other = np.argsort(ours.ids, kind="stable"), np.argsort(theirs.ids, kind="stable")
    if len(ours) != len(theirs) or not np.array_equal(ours.ids[order], theirs.ids[other]):
        raise OutputError(_strangers(ours, theirs, names, "other test items"))
    places = np.empty(len(ours), dtype=np.int64)
    places[order] = other
    if not np.array_equal(ours.fingerprints, theirs.fingerprints[places]):
        raise OutputError(_strangers(ours, theirs, names, "other targets for the same test items"))
    return places


def _strangers(ours: Outcome, theirs: Outcome, names: tuple[str, str], what: str) -> str:
    return (
        f"{names[0]} was tested on {what} than its control {names[1]} (seed {ours.seed}: {len(ours)} and "
        f"{len(theirs)} items); a technique that changes the test data must keep its items and their order, "
        "or give them ids: Split(..., ids=...)"
    )


def _array(values: Any, score: Score, count: int) -> Array:
    found = np.asarray(values.detach().cpu() if hasattr(values, "detach") else values, dtype=np.float64)
    if found.shape != (count,):
        raise OutputError(
            f"score {score.name!r} must give one figure per item, shape ({count},); its per_item gave {found.shape}"
        )
    return found


def by_item(outcomes: Sequence[Outcome], name: str) -> tuple[Array, Array, Array]:
    """Totals and weights of each distinct item [n], summed over the seeds that tested it, and how many did."""
    _, index = np.unique(np.concatenate([one.ids for one in outcomes]), return_inverse=True)
    found = joined(one.figures[name] for one in outcomes)
    return np.bincount(index, found.totals), np.bincount(index, found.weights), np.bincount(index)
