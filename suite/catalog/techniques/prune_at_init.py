"""Pruning at initialisation: zero the smallest weights of each layer before the first step, then train what is left.

The smallest magnitudes of an untrained network say little: Frankle et al. 2021, https://arxiv.org/abs/2009.08576,
find that such masks do about as well as random ones. Saves the entropy-coded bytes of pruning after training, without
fine-tuning; speed, shapes and the length of training stay, so the baseline is the control.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from weakref import WeakKeyDictionary

from torch import nn

from suite.core.errors import UsageError
from suite.registry import technique
from suite.training.recipe import Recipe, Trainee
from suite.training.surgery import masks


@technique(
    slots=("prepare", "callbacks"),
    family="pruning",
    sweep={"sparsity": (0.2, 0.5, 0.8, 0.9, 0.95)},
    needs=("training",),
    conflicts=("compiled_training",),  # which prepares the network in its own way alone
    quick=False,
)
def prune_at_init(recipe: Recipe, *, sparsity: float = 0.8) -> Recipe:
    """Zero a share ``sparsity`` of each layer's weights, smallest magnitude first, before training."""
    masks.check("prune_at_init", sparsity)
    held: WeakKeyDictionary[nn.Module, masks.Masks] = WeakKeyDictionary()

    def prepare(network: nn.Module) -> Callable[[Any], Any]:
        """Fine-tuning comes here again, and finds the same masks: zeros are the smallest magnitudes."""
        held[network] = masks.each(masks.magnitudes(network), sparsity)
        masks.apply(held[network])
        return recipe.prepare(network)

    def hold(trainee: Trainee) -> None:
        if trainee.network not in held:
            raise UsageError("prune_at_init: another technique replaced 'prepare'; let it call recipe.prepare too")
        masks.apply(held[trainee.network])

    return replace(recipe, prepare=prepare, callbacks=(*recipe.callbacks, hold))
