"""Quality over seeds, and compared with the control image by image."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from suite.intervals import mean_interval, paired_difference, wilson
from suite.metrics import measured
from suite.records import Cell, Measurement
from suite.training.loop import Trained
from suite.training.serving import Served, predict

CONFIDENCE = 0.95
RESAMPLES = 400


@dataclass(frozen=True, kw_only=True)
class SeedOutcome:
    """What one seed brought: predicted and true classes [N] of its test images, and what training cost.

    ``seconds_to_target`` is ``None`` where the target was not reached.
    """

    seed: int
    predicted: np.ndarray
    targets: np.ndarray
    seconds: float
    seconds_to_target: float | None

    @property
    def right(self) -> np.ndarray:
        """Truth values [N]: which images were classified correctly."""
        return np.asarray(self.predicted == self.targets)


def outcome(trained: Trained, served: Served, *, batch: int, target: float | None) -> SeedOutcome:
    """Test the served network on its seed's test images."""
    test = trained.recipe.data().test
    return SeedOutcome(
        seed=trained.recipe.seed,
        predicted=predict(served, test.inputs, batch=batch).argmax(1).numpy(),
        targets=test.targets.cpu().numpy(),
        seconds=trained.seconds,
        seconds_to_target=None if target is None else trained.seconds_to(target),
    )


def quality(
    cell: Cell, outcomes: Sequence[SeedOutcome], control: Sequence[SeedOutcome], control_name: str
) -> list[Measurement]:
    """All quality metrics of a cell from its seeds' outcomes and the control's of the same seeds."""
    seeds = tuple(one.seed for one in outcomes)
    common: Mapping[str, Any] = {"seeds": seeds, "control": control_name}
    return [
        *_accuracy(cell, outcomes, common),
        _difference(cell, outcomes, control, common),
        *_per_class(cell, outcomes, common),
        *_training_cost(cell, outcomes, common),
    ]


def _accuracy(cell: Cell, outcomes: Sequence[SeedOutcome], common: Mapping[str, Any]) -> list[Measurement]:
    right = np.concatenate([one.right for one in outcomes])
    low, high = wilson(int(right.sum()), len(right), CONFIDENCE)
    each = [float(one.right.mean()) for one in outcomes]
    noise = _deviation(each)
    return [
        measured(
            cell,
            "accuracy",
            float(np.mean(each)),
            low=low,
            high=high,
            confidence=CONFIDENCE,
            n=len(right),
            noise=noise,
            **common,
        ),
        measured(cell, "accuracy_worst_seed", min(each), n=len(right), noise=noise, **common),
    ]


def _difference(
    cell: Cell, outcomes: Sequence[SeedOutcome], control: Sequence[SeedOutcome], common: Mapping[str, Any]
) -> Measurement:
    """Accuracy minus the control's; the interval is the wider of the one over images and the one over seeds."""
    ours = np.concatenate([one.right for one in outcomes])
    theirs = np.concatenate([one.right for one in control])
    gained, lost = int((ours & ~theirs).sum()), int((~ours & theirs).sum())
    each = [float(a.right.mean() - b.right.mean()) for a, b in zip(outcomes, control, strict=True)]
    intervals = [paired_difference(gained, lost, len(ours), CONFIDENCE)]
    if len(each) > 1:
        intervals.append(mean_interval(each, CONFIDENCE))
    low, high = max(intervals, key=lambda pair: pair[1] - pair[0])
    value = (gained - lost) / len(ours)
    details = {"low": low, "high": high, "confidence": CONFIDENCE, "n": len(ours), "noise": _deviation(each)}
    return measured(cell, "accuracy_vs_control", value, **details, **common)


def _per_class(cell: Cell, outcomes: Sequence[SeedOutcome], common: Mapping[str, Any]) -> list[Measurement]:
    """Macro precision and recall of all seeds' predictions pooled, with a bootstrap interval over images."""
    predicted = np.concatenate([one.predicted for one in outcomes])
    targets = np.concatenate([one.targets for one in outcomes])
    point = macro(predicted, targets)
    rng = np.random.default_rng(0)
    draws = [macro(predicted[i], targets[i]) for i in rng.integers(len(targets), size=(RESAMPLES, len(targets)))]
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(draws, [tail, 1 - tail], axis=0)
    noise = np.array([macro(one.predicted, one.targets) for one in outcomes])
    return [
        measured(
            cell, name, point[k], low=float(low[k]), high=float(high[k]), confidence=CONFIDENCE, n=len(targets),
            noise=_deviation(list(noise[:, k])), **common,
        )
        for k, name in enumerate(("macro_precision", "macro_recall"))
    ]  # fmt: skip


def macro(predicted: np.ndarray, targets: np.ndarray) -> tuple[float, float]:
    """Precision and recall, each the plain mean over the classes that occur; an absent prediction counts as 0.

    As scikit-learn's ``precision_recall_fscore_support(average="macro", zero_division=0)``, fast enough to bootstrap.
    """
    classes = int(max(predicted.max(), targets.max())) + 1
    table = np.bincount(targets * classes + predicted, minlength=classes**2).reshape(classes, classes)
    hits, truth, said = np.diag(table), table.sum(1), table.sum(0)
    occurs = (truth + said) > 0
    precision = np.divide(hits, said, out=np.zeros(classes), where=said > 0)[occurs].mean()
    recall = np.divide(hits, truth, out=np.zeros(classes), where=truth > 0)[occurs].mean()
    return float(precision), float(recall)


def _training_cost(cell: Cell, outcomes: Sequence[SeedOutcome], common: Mapping[str, Any]) -> list[Measurement]:
    costs = {
        "train_seconds": [one.seconds for one in outcomes],
        "time_to_target": [one.seconds_to_target for one in outcomes if one.seconds_to_target is not None],
    }
    return [_cost(cell, name, values, common) for name, values in costs.items() if len(values) == len(outcomes)]


def _cost(cell: Cell, name: str, values: list[float], common: Mapping[str, Any]) -> Measurement:
    mean = float(np.mean(values))
    low, high = mean_interval(values, CONFIDENCE) if len(values) > 1 else (None, None)
    deviation = _deviation(values)
    noise = None if deviation is None or mean == 0 else deviation / mean
    confidence = None if low is None else CONFIDENCE
    return measured(cell, name, mean, low=low, high=high, confidence=confidence, n=len(values), noise=noise, **common)


def _deviation(values: Sequence[float]) -> float | None:
    if len(values) < 2:  # noqa: PLR2004  # one value has no spread
        return None
    deviation = float(np.std(values, ddof=1))
    return deviation if math.isfinite(deviation) else None
