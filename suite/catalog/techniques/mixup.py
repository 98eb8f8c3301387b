"""Mixup: a network trains on weighted means of two items, whose losses on both targets have the same weights.

Zhang et al. 2018, https://arxiv.org/abs/1710.09412: ``x = share * x1 + (1 - share) * x2`` with a share drawn for each
batch from Beta(alpha, alpha) and partners from the same batch, as in the paper's code. For cross-entropy this is the
mean of the one-hot targets; other losses are weighted alike. A step computes one more loss. Needs long training to
help; size and speed of what is served stay.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from suite.core.errors import UsageError
from suite.registry import technique
from suite.training.recipe import Backward, Batch, Recipe, Trainee
from suite.training.trees import leaves, take, tree_map

KEY = "random numbers of mixup"


class Mixed(NamedTuple):
    """Targets (trees [B, ...]) of the items and of their partners, and the items' share [B], the same for all."""

    own: Any
    partners: Any
    share: Tensor


@technique(
    slots=("gradients", "loss"),
    family="training",
    sweep={"alpha": (0.1, 0.2, 0.4)},
    needs=("training", "float_inputs"),
    quick=False,
)
def mixup(recipe: Recipe, *, alpha: float = 0.2) -> Recipe:
    """Mix every batch with itself in another order, by shares of Beta(``alpha``, ``alpha``)."""
    if alpha <= 0:
        raise UsageError(f"mixup: alpha must be above 0, got {alpha}")

    def gradients(trainee: Trainee, batch: Batch, backward: Backward) -> Tensor:
        return recipe.gradients(trainee, _mixed(trainee, batch, alpha), backward)

    def loss(trainee: Trainee, batch: Batch, output: Any) -> Tensor:
        if not isinstance(batch.targets, Mixed):  # a look at validation items, which are whole
            return recipe.loss(trainee, batch, output)
        own, partners = (
            recipe.loss(trainee, Batch(inputs=batch.inputs, targets=one), output)
            for one in (batch.targets.own, batch.targets.partners)
        )
        return torch.lerp(partners, own, batch.targets.share[0].to(own.dtype))

    return replace(recipe, gradients=gradients, loss=loss)


def _mixed(trainee: Trainee, batch: Batch, alpha: float) -> Batch:
    """The batch mixed with itself; random numbers are the run's own, drawn on the CPU: the same on every device."""
    random = trainee.kept.setdefault(KEY, np.random.default_rng(trainee.seed))
    share = float(random.beta(alpha, alpha))
    order = torch.from_numpy(random.permutation(len(batch))).to(leaves(batch.inputs)[0].device)
    inputs = tree_map(lambda leaf: torch.lerp(leaf[order], leaf, share), batch.inputs)
    shares = torch.full((len(batch),), share, device=order.device)
    return Batch(inputs=inputs, targets=Mixed(batch.targets, take(batch.targets, order), shares))
