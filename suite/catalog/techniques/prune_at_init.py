"""Pruning at initialisation: zero the weights that matter least before the first step, then train what is left.

By ``magnitude`` in each layer, or with one threshold for the network by what removing a weight does to the loss of one
batch (``snip``, Lee et al. 2019, https://arxiv.org/abs/1810.02340) or to the flow through the network (``synflow``,
Tanaka et al. 2020, https://arxiv.org/abs/2006.05467). Frankle et al. 2021, https://arxiv.org/abs/2009.08576, find that
all of them choose how many weights a layer keeps rather than which. Saves the entropy-coded bytes of pruning after
training, without fine-tuning; speed, shapes and the length of training stay, so the baseline is the control.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from torch import nn

from suite.core.errors import UsageError
from suite.registry import technique
from suite.training import invariants
from suite.training.recipe import Constraint, Recipe
from suite.training.surgery import masks, saliency

CRITERIA: Mapping[str, Callable[[nn.Module, Recipe, float], masks.Masks]] = {
    "magnitude": lambda network, _, sparsity: masks.each(masks.magnitudes(network), sparsity),
    "snip": lambda network, recipe, sparsity: masks.across(saliency.snip(network, recipe), sparsity),
    "synflow": lambda network, recipe, sparsity: saliency.synflow(
        network, recipe.data().train.first(1).inputs, sparsity
    ),
}


@technique(
    slots=("constraints",),
    family="pruning",
    sweep={"sparsity": (0.2, 0.5, 0.8, 0.9, 0.95), "criterion": tuple(CRITERIA)},
    needs=("training",),
    quick=False,
    promises=lambda *, sparsity, criterion, **_: invariants.Sparse(sparsity, each=criterion == "magnitude"),
)
def prune_at_init(recipe: Recipe, *, sparsity: float = 0.8, criterion: str = "magnitude") -> Recipe:
    """Zero a share ``sparsity`` of the weights before training: those of least magnitude, or by snip or synflow."""
    masks.check("prune_at_init", sparsity)
    if criterion not in CRITERIA:
        raise UsageError(f"prune_at_init: criterion must be one of {', '.join(CRITERIA)}, got {criterion!r}")

    def hold(network: nn.Module) -> Constraint:
        """Fine-tuning comes here again, with weights that are pruned already, and finds the same masks."""
        again = saliency.kept(network, sparsity)
        found = masks.Masked(CRITERIA[criterion](network, recipe, sparsity) if again is None else again)
        found.restore(network)
        return found

    return replace(recipe, constraints=(*recipe.constraints, hold))
