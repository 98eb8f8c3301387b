"""Resolution alone grows, to ``2 ** phi`` times the multiply-accumulates: what compound scaling is compared with.

EfficientNet, Tan & Le 2019, https://arxiv.org/abs/1905.11946, figure 3: one dimension alone gains less than all three
at the same count. The factor is the one whose count comes nearest; the others stay.
Images are resized and gain no detail beyond their source. The length of training stays in steps.
"""

from __future__ import annotations

from suite.registry import technique
from suite.training.recipe import Recipe
from suite.training.surgery import scaling


@technique(
    slots=("data", "model"),
    family="structure",
    sweep={"phi": (0.5, 1.0, 2.0)},
    needs=("training", "images"),
    quick=False,
    runs=False,
)
def resolution_scaling(recipe: Recipe, *, phi: float = 1.0) -> Recipe:
    """Scale the images' sides alone, to ``2 ** phi`` times the multiply-accumulates."""
    return scaling.alone(recipe, phi, "resolution", "resolution_scaling")
