"""Magnitude pruning: zero the smallest weights of every matrix and filter, then fine-tune.

Han et al. 2015, https://arxiv.org/abs/1506.02626. One threshold for the whole network; masks hold while fine-tuning.
Dense kernels multiply zeros as before: this saves entropy-coded bytes, not time.
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
    promises=invariants.sparse,
)
def magnitude_pruning(recipe: Recipe, *, sparsity: float = 0.8, epochs: int = 3) -> Recipe:
    """Zero a share ``sparsity`` of all prunable weights, smallest magnitude first, globally."""
    masks.check("magnitude_pruning", sparsity, epochs)
    chosen = masks.masked(recipe, lambda net, _: masks.across(masks.magnitudes(net), sparsity), epochs=epochs)
    return replace(recipe, finish=chosen)
