"""Label smoothing: a share of every target is spread evenly over all classes.

Szegedy et al. 2016, https://arxiv.org/abs/1512.00567. For cross-entropy it is the same as adding the mean of
``-log p`` over all classes, so it goes with any loss of the recipe: ``(1 - s) * loss + s * mean(-log p)``. A recipe
that smooths by r already is then smoothed by ``1 - (1 - r)(1 - s)``. Changes training alone; size and speed stay.
"""

from __future__ import annotations

from dataclasses import replace

import torch.nn.functional as F  # noqa: N812  # torch's own convention
from torch import Tensor

from suite.core.errors import UsageError
from suite.registry import technique
from suite.training.distilling import class_dim
from suite.training.recipe import Batch, Recipe, Trainee


@technique(
    slots=("loss",),
    family="training",
    sweep={"smoothing": (0.05, 0.1, 0.2)},
    needs=("training", "class_scores"),
    quick=False,
)
def label_smoothing(recipe: Recipe, *, smoothing: float = 0.1) -> Recipe:
    """Spread a share ``smoothing`` of every target over all classes."""
    if not 0 <= smoothing < 1:
        raise UsageError(f"label_smoothing: smoothing must be in [0, 1), got {smoothing}")

    def loss(trainee: Trainee, batch: Batch, output: Tensor) -> Tensor:
        if not isinstance(output, Tensor):
            raise UsageError(
                f"label_smoothing: outputs must be one tensor of class scores, got {type(output).__name__}"
            )
        even = -F.log_softmax(output, dim=class_dim(trainee, output)).mean()  # over items and classes alike
        return (1 - smoothing) * recipe.loss(trainee, batch, output) + smoothing * even

    return replace(recipe, loss=loss)
