"""Stochastic weight averaging: the mean of the weights at the ends of the last epochs is kept, not the last ones.

Izmailov et al. 2018, https://arxiv.org/abs/1803.05407: after a share ``start`` of the training the learning rate stays
where the recipe's schedule had brought it, so that the weights move about a minimum, and every epoch's end counts
alike. Batch normalisation's statistics are computed anew for the mean, by one more pass over the training data, on the
training clock. Costs a copy of the weights. Size and speed of what is served stay.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import torch
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from suite.core.errors import UsageError
from suite.registry import technique
from suite.training.devices import autocast, place
from suite.training.recipe import Recipe, Trainee
from suite.training.schedules import HeldSchedule
from suite.training.surgery import norms

KEY = "mean of the last epochs' weights"


@technique(
    slots=("schedule", "after_epoch", "after_training"),
    family="training",
    sweep={"start": (0.5, 0.75)},
    needs=("training",),
    conflicts=("early_stopping", "ema"),  # which keep other weights
    quick=False,
)
def swa(recipe: Recipe, *, start: float = 0.75) -> Recipe:
    """Average the weights over the epochs after a share ``start`` of the training, at a constant learning rate."""
    if not 0 <= start < 1:
        raise UsageError(f"swa: start must be in [0, 1), got {start}")

    def schedule(optimizer: Optimizer, rate: float, steps: int) -> LRScheduler:
        return HeldSchedule(recipe.schedule(optimizer, rate, steps), int(start * steps))

    def average(trainee: Trainee) -> None:
        if trainee.epoch > start * trainee.recipe.epochs:
            _add(trainee)

    return replace(
        recipe, schedule=schedule, after_epoch=(*recipe.after_epoch, average),
        after_training=(*recipe.after_training, _keep),
    )  # fmt: skip


@torch.no_grad()
def _add(trainee: Trainee) -> None:
    """Count the weights of now as one more in the mean of those before."""
    means, count = trainee.kept.get(KEY, ({}, 0))
    for name, value in trainee.network.state_dict().items():
        if count == 0 or not value.is_floating_point():
            means[name] = value.clone()
        else:
            means[name].lerp_(value, 1 / (count + 1))
    trainee.kept[KEY] = means, count + 1


def _keep(trainee: Trainee) -> None:
    if KEY in trainee.kept:
        trainee.network.load_state_dict(trainee.kept[KEY][0])
        with autocast(trainee.recipe.precision, trainee.device):
            norms.recompute(trainee.network, _inputs(trainee))


def _inputs(trainee: Trainee) -> Iterator[Any]:
    """One epoch of training inputs, as training sees them."""
    recipe = trainee.recipe
    train = recipe.data().train.to(trainee.device)
    for batch in recipe.batches(train, torch.Generator().manual_seed(trainee.seed)):
        yield place(batch.inputs, recipe.layout)
