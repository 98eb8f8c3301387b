"""Depth alone grows, to ``2 ** phi`` times the multiply-accumulates: what compound scaling is compared with.

EfficientNet, Tan & Le 2019, https://arxiv.org/abs/1905.11946, figure 3: one dimension alone gains less than all three
at the same count. The factor is the one whose count comes nearest; the others stay. One
layer more may cost more than the growth: then it is unavailable, and says which count is nearest. The length of
training stays in steps.
"""

from __future__ import annotations

from suite.registry import technique
from suite.training.recipe import Recipe
from suite.training.surgery import scaling


@technique(
    slots=("model",),
    family="structure",
    sweep={"phi": (0.5, 1.0, 2.0)},
    needs=("training", "images", "depth"),
    quick=False,
    runs=False,
)
def depth_scaling(recipe: Recipe, *, phi: float = 1.0) -> Recipe:
    """Scale the layers alone, to ``2 ** phi`` times the multiply-accumulates."""
    return scaling.alone(recipe, phi, "depth", "depth_scaling")
