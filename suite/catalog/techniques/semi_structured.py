"""Semi-structured (2:4) sparsity: of every four neighbouring inputs of a layer two weights are zero.

Mishra et al. 2021, https://arxiv.org/abs/2104.08378: prune the trained network by magnitude, then train it again while
the mask holds. The pattern of NVIDIA's sparse tensor cores; here it is a mask alone, computed with densely on every
device, so speed, shapes and the plain artefact's bytes stay and entropy-coded bytes fall. Layers whose number of inputs
is no multiple of four stay dense. ``sparse_linear`` after it uses the tensor cores.
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
    sweep={"epochs": (3, 10)},
    quick=False,
    promises=lambda **_: invariants.TwoOfFour(),
)
def semi_structured(recipe: Recipe, *, epochs: int = 3) -> Recipe:
    """Zero the two smallest of every four neighbouring weights, then fine-tune."""
    masks.check("semi_structured", 0.5, epochs)
    return replace(
        recipe, finish=masks.masked(recipe, lambda net, _: masks.of_four(masks.magnitudes(net)), epochs=epochs)
    )
