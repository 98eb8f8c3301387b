"""Soft sharing: a trunk for each task, and a penalty that keeps the tasks' weights near each other.

Ruder 2017, https://arxiv.org/abs/1706.05098, section 3; the squared distance is that of Duong et al. 2015,
https://doi.org/10.3115/v1/P15-2139. The tasks start from weights of their own, and norms stay each task's own. With a
strength of 0 the tasks are apart, with a large one they share everything. Parameters, bytes and arithmetic of the trunk
are multiplied by the tasks. Outputs and the length of training stay; the control is hard sharing.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from torch import Tensor

from suite.core.errors import UsageError
from suite.registry import technique
from suite.training.recipe import Batch, Recipe, Trainee
from suite.training.surgery.rebuilding import rebuilt
from suite.training.tasks import Apart, in_lockstep, squared_distance


@technique(
    slots=("model", "loss"),
    family="multi-task",
    sweep={"strength": (0.0001, 0.001, 0.01)},
    needs=("training", "tasks"),
    quick=False,
)
def soft_sharing(recipe: Recipe, *, strength: float = 0.001) -> Recipe:
    """Train a trunk for each task, with ``strength`` times the squared distance of their weights in the loss."""
    if not strength >= 0:
        raise UsageError(f"soft_sharing: strength, of the penalty, must be 0 or more, got {strength}")

    def loss(trainee: Trainee, batch: Batch, output: Any) -> Tensor:
        own = recipe.loss(trainee, batch, output)
        if not trainee.network.training:  # a look at validation items, which are judged by their targets
            return own
        return own + strength * squared_distance(trainee.network)

    model = rebuilt(recipe.model, lambda network: in_lockstep(recipe, network, Apart))
    return replace(recipe, model=model, loss=loss)
