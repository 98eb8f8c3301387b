"""Hints: a narrow student learns to put out what the trained baseline does in the middle of the network, and labels.

FitNets, Romero et al. 2015, https://arxiv.org/abs/1412.6550, in one stage instead of two and without softened outputs:
``weight * hint + loss on labels``, where the hint is the squared error of the layer's output (before its activation)
over the teacher's mean square. A linear regressor fits the student's channels to the teacher's; it is trained beside
the student and thrown away. Changes quality and the cost of training; what is served is the control's network.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from suite.core.composition import BASELINE
from suite.core.errors import UsageError
from suite.registry import technique
from suite.training.recipe import Batch, Recipe, Trainee, scaled
from suite.training.surgery import features

REGRESSOR = "regressor"


@technique(
    slots=("model", "loss", "prepare"),
    family="teacher and student",
    control="narrow(width={width})",
    sweep={"width": (0.1, 0.25)},
    needs=("training", "width"),
    conflicts=("compiled_training",),  # which prepares the network in its own way alone
    quick=False,
)
def feature_hints(recipe: Recipe, *, width: float = 0.25, weight: float = 1.0, layer: str = "") -> Recipe:
    """Train a network ``width`` as wide on labels and on the baseline's features of ``layer`` ("": the middle one)."""
    if not 0 < width <= 1:
        raise UsageError(f"feature_hints: width must be in (0, 1], got {width}")
    if weight < 0:
        raise UsageError(f"feature_hints: weight must be 0 or more, got {weight}")
    watched: WeakKeyDictionary[nn.Module, Callable[[], Tensor]] = WeakKeyDictionary()

    def prepare(network: nn.Module) -> Callable[[Any], Any]:
        name = features.named_layer("feature_hints", network, layer)
        watching = features.WatchedFeatures(network, name, recipe.prepare(network))
        watched[network] = watching.seen
        return watching

    def loss(trainee: Trainee, batch: Batch, output: Tensor) -> Tensor:
        if not trainee.network.training:  # a look at validation items, which are judged by their labels
            return recipe.loss(trainee, batch, output)
        if trainee.network not in watched:
            raise UsageError("feature_hints: another technique replaced 'prepare'; let it call recipe.prepare too")
        student, teacher = watched[trainee.network](), _teacher(trainee, batch, layer)
        if REGRESSOR not in trainee.helpers:
            trainee.helpers[REGRESSOR] = features.regressor(student, teacher)
        hint = features.hint_loss(student, teacher, trainee.helpers[REGRESSOR])
        return weight * hint + recipe.loss(trainee, batch, output)

    return replace(recipe, model=scaled(recipe.model, width), loss=loss, prepare=prepare)


@torch.no_grad()
def _teacher(trainee: Trainee, batch: Batch, layer: str) -> Tensor:
    teacher = trainee.reference(BASELINE)
    watching = features.WatchedFeatures(teacher, features.named_layer("feature_hints", teacher, layer))
    watching(batch.inputs)
    return watching.seen()
