"""The loss on the validation split while a run goes on."""

from __future__ import annotations

import torch

from suite.core.errors import UsageError
from suite.training.devices import autocast, place
from suite.training.recipe import Batch, Trainee
from suite.training.trees import split

VALIDATION_BATCH = 64


@torch.no_grad()
def validation_loss(trainee: Trainee) -> float:
    """The recipe's own loss, a mean over the validation items, in evaluation mode.

    Raises `UsageError` where the workload has no validation split.
    """
    part, recipe = trainee.validation, trainee.recipe
    if part is None:
        raise UsageError("the workload's data have no validation split; give Splits a validation=")
    was_training, total = trainee.network.training, torch.zeros((), device=trainee.device)
    trainee.network.eval()
    pieces = zip(split(part.inputs, VALIDATION_BATCH), split(part.targets, VALIDATION_BATCH), strict=True)
    with autocast(recipe.precision, trainee.device):
        for inputs, targets in pieces:
            batch = Batch(inputs=inputs, targets=targets)
            total += len(batch) * recipe.loss(trainee, batch, trainee.network(place(inputs, recipe.layout)))
    trainee.network.train(was_training)
    return float(total) / len(part)
