"""Outcomes of seeds as the scores see them, written down instead of trained."""

from __future__ import annotations

from typing import Any

import numpy as np
import tiny

from suite.catalog.scores import Score
from suite.core.records import Measurement
from suite.measure.scoring.items import ItemValues, Outcome
from suite.measure.scoring.pooled import PooledOutcomes, score_measurements

CELL = tiny.BASELINE_CELL
ACCURACY = Score(name="accuracy", better="higher", per_item=lambda _outputs, _targets: None)
ERROR = Score(name="mean_squared_error", better="lower", per_item=lambda _outputs, _targets: None)


def figures(totals: Any, weights: Any = None) -> ItemValues:
    found = np.asarray(totals, dtype=np.float64)
    return ItemValues(totals=found, weights=np.ones(len(found)) if weights is None else np.asarray(weights, np.float64))


def seed_of(seed: int, score: Score, totals: Any, *, weights: Any = None, ids: Any = None, **more: Any) -> Outcome:
    """One seed's items with a figure for each; items are their places and have equal targets where nothing is said."""
    count = len(totals)
    details = {"fingerprints": np.zeros(count, dtype=np.int64)} | more
    return Outcome(
        seed=seed,
        ids=np.arange(count) if ids is None else np.asarray(ids),
        figures={score.name: figures(totals, weights)},
        **details,
    )


def compared(outcomes: Any, control: Any = None, name: str = "baseline") -> PooledOutcomes:
    return PooledOutcomes(
        cell=CELL, outcomes=outcomes, control=outcomes if control is None else control, control_name=name
    )


def measurements(score: Score, outcomes: Any, control: Any = None, name: str = "baseline") -> dict[str, Measurement]:
    """The score's value, ``_vs_control`` and ``_worst_seed`` by these endings; the value under an empty one."""
    found = score_measurements(score, compared(outcomes, control, name))
    return {one.metric.removeprefix(score.name): one for one in found}
