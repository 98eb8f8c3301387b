"""Two tasks with one trunk: which digit it is, and whether it is even or odd (hard parameter sharing).

Caruana 1997, https://doi.org/10.1023/A:1007379606734: all layers but the last are shared, each task has a head, the
loss is the sum of the tasks'. Data, folds, augmentation and trunk are those of `digits_cnn`; the second head adds
2 x 128 + 2 parameters. Outputs and targets are dictionaries of the tasks.
"""

from __future__ import annotations

from functools import lru_cache

import torch.nn.functional as F  # noqa: N812  # torch's own convention
from torch import Tensor, nn

from suite.catalog.scores import Score
from suite.catalog.scores.classification import right
from suite.catalog.workloads.digits_cnn import (
    BATCH,
    FOLDS,
    SMOOTHING,
    SimpleCNN,
    digest,
    one_cycle,
    shifted_batches,
    splits,
)
from suite.registry import workload
from suite.training.recipe import Batch, Recipe, Split, Splits, Trainee

CLASSES = {"digit": 10, "parity": 2}
"""The tasks, and how many classes each has."""


class SharedTrunk(SimpleCNN):
    """`SimpleCNN` with a head for each task: 225,292 parameters at width 1. Inputs [B, 1, 28, 28]."""

    def __init__(self, width: float = 1.0) -> None:
        super().__init__(width)
        shared = self.fc2.in_features
        del self.fc2
        self.heads = nn.ModuleDict({task: nn.Linear(shared, classes) for task, classes in CLASSES.items()})

    def forward(self, x: Tensor) -> dict[str, Tensor]:  # type: ignore[override]  # as many outputs as tasks
        """Class scores of each task: ``digit`` [B, 10], ``parity`` [B, 2]."""
        shared = self.features(x)
        return {task: head(shared) for task, head in self.heads.items()}


def accuracy_of(task: str) -> Score:
    """The share of test items whose class in ``task`` is right."""
    return Score(
        name=f"{task}_accuracy",
        better="higher",
        per_item=lambda outputs, targets: right(outputs[task], targets[task]),
        about=f"share of test items whose {task} is right",
    )


@workload(scores=map(accuracy_of, CLASSES), digest=digest, quick=False, default=False)
def digits_multitask(seed: int) -> Recipe:
    """Digit and parity of handwritten digits from one trunk with two heads."""
    return Recipe(
        data=lambda: with_parity(seed % FOLDS),
        model=SharedTrunk,
        batches=shifted_batches,
        steps_per_epoch=lambda examples: examples // BATCH,
        schedule=one_cycle,
        loss=summed_cross_entropy,
        learning_rate=3e-3,
        epochs=10,
    )


@lru_cache(maxsize=FOLDS)
def with_parity(fold: int) -> Splits:
    """The splits of `digits_cnn` with both tasks' targets."""
    found = splits(fold)
    train, validation, test = (_both(part) for part in (found.train, found.validation, found.test) if part)
    return Splits(train=train, validation=validation, test=test)


def _both(part: Split) -> Split:
    return Split(inputs=part.inputs, targets={"digit": part.targets, "parity": part.targets % 2}, ids=part.ids)


def summed_cross_entropy(_trainee: Trainee, batch: Batch, output: dict[str, Tensor]) -> Tensor:
    """The sum of the tasks' cross-entropies against smoothed targets, each with weight 1."""
    losses = [F.cross_entropy(output[task], batch.targets[task], label_smoothing=SMOOTHING) for task in CLASSES]
    return losses[0] + losses[1]
