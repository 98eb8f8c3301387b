"""Layer-wise magnitude pruning: zero the smallest weights of each layer for itself, then fine-tune.

What ``torch.nn.utils.prune.l1_unstructured(layer, "weight", amount)`` masks, for every matrix and filter. Han et al.
2015, https://arxiv.org/abs/1506.02626, prune by layer; Blalock et al. 2020, https://arxiv.org/abs/2003.03033, compare
it with one threshold for all. Small layers, such as the first, lose as large a share as big ones and suffer first.
Saves entropy-coded bytes; speed, shapes, parameters and the plain artefact's bytes stay.
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
    sweep={"sparsity": (0.2, 0.5, 0.8, 0.9, 0.95)},
    quick=False,
    promises=invariants.sparse_layers,
)
def layerwise_pruning(recipe: Recipe, *, sparsity: float = 0.8, epochs: int = 3) -> Recipe:
    """Zero a share ``sparsity`` of each layer's weights, smallest magnitude first."""
    masks.check("layerwise_pruning", sparsity, epochs)
    chosen = masks.masked(recipe, lambda net, _: masks.each(masks.magnitudes(net), sparsity), epochs=epochs)
    return replace(recipe, finish=chosen)
