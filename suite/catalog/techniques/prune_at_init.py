"""Pruning at initialisation: zero the smallest weights of each layer before the first step, then train what is left.

The smallest magnitudes of an untrained network say little: Frankle et al. 2021, https://arxiv.org/abs/2009.08576,
find that such masks do about as well as random ones. Saves the entropy-coded bytes of pruning after training, without
fine-tuning; speed, shapes and the length of training stay, so the baseline is the control.
"""

from __future__ import annotations

from dataclasses import replace

from torch import nn

from suite.registry import technique
from suite.training import invariants
from suite.training.recipe import Constraint, Recipe
from suite.training.surgery import masks


@technique(
    slots=("constraints",),
    family="pruning",
    sweep={"sparsity": (0.2, 0.5, 0.8, 0.9, 0.95)},
    needs=("training",),
    quick=False,
    promises=invariants.sparse_layers,
)
def prune_at_init(recipe: Recipe, *, sparsity: float = 0.8) -> Recipe:
    """Zero a share ``sparsity`` of each layer's weights, smallest magnitude first, before training."""
    masks.check("prune_at_init", sparsity)

    def hold(network: nn.Module) -> Constraint:
        """Fine-tuning comes here again, and finds the same masks: zeros are the smallest magnitudes."""
        found = masks.Masked(masks.each(masks.magnitudes(network), sparsity))
        found.restore(network)
        return found

    return replace(recipe, constraints=(*recipe.constraints, hold))
