"""Random pruning: zero weights by lot, then fine-tune; what pruning by magnitude must beat to be worth its name.

The contrast of Blalock et al. 2020, https://arxiv.org/abs/2003.03033: the same share of the whole network, the same
fine-tuning, no choice. The lots are the seed's. Saves the same entropy-coded bytes; speed and shapes stay.
"""

from __future__ import annotations

from dataclasses import replace

from suite.registry import technique
from suite.training import invariants
from suite.training.recipe import Recipe
from suite.training.surgery import masks


@technique(
    slots=("finish",),
    family="pruning",
    control="extra_epochs(epochs={epochs})",
    sweep={"sparsity": (0.5, 0.8, 0.9, 0.95)},
    quick=False,
    promises=invariants.sparse,
)
def random_pruning(recipe: Recipe, *, sparsity: float = 0.8, epochs: int = 3) -> Recipe:
    """Zero a share ``sparsity`` of all prunable weights, chosen at random."""
    masks.check("random_pruning", sparsity, epochs)
    chosen = masks.masked(
        recipe, lambda net, tuner: masks.across(masks.chances(net, tuner.seed), sparsity), epochs=epochs
    )
    return replace(recipe, finish=chosen)
