"""Width alone grows, to ``2 ** phi`` times the multiply-accumulates: what compound scaling is compared with.

EfficientNet, Tan & Le 2019, https://arxiv.org/abs/1905.11946, figure 3: one dimension alone gains less than all three
at the same count. The factor is the one whose count comes nearest; the others stay. A
network whose steps are too coarse for that is unavailable. The length of training stays in steps.
"""

from __future__ import annotations

from suite.registry import technique
from suite.training.recipe import Recipe
from suite.training.surgery import scaling


@technique(
    slots=("model",),
    family="structure",
    sweep={"phi": (0.5, 1.0, 2.0)},
    needs=("training", "images", "width"),
    quick=False,
)
def width_scaling(recipe: Recipe, *, phi: float = 1.0) -> Recipe:
    """Scale the channels alone, to ``2 ** phi`` times the multiply-accumulates."""
    return scaling.alone(recipe, phi, "width", "width_scaling")
