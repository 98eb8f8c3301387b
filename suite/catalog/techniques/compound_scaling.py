"""Compound scaling: depth, width and resolution grow together, to ``2 ** phi`` times the multiply-accumulates.

EfficientNet, Tan & Le 2019, https://arxiv.org/abs/1905.11946, with its own constants: depth 1.2, width 1.1 and
resolution 1.15, each to the power ``phi``; 1.2 * 1.1^2 * 1.15^2 is 1.92. Layers are whole, so width takes up what
rounding leaves: it is the factor from 1 on whose count comes nearest to ``2 ** phi``. A network of so few layers that
one more costs more than the whole growth keeps its depth. Images are resized and gain no detail beyond their source.
The control has the same count by width alone; `depth_scaling` and `resolution_scaling` have it by theirs. The length of
training stays in steps.
"""

from __future__ import annotations

from functools import partial

from suite.registry import technique
from suite.training.recipe import Recipe
from suite.training.surgery import scaling
from suite.training.surgery.scaling import Cost, Shape

DEPTH, RESOLUTION = 1.2, 1.15


@technique(
    slots=("data", "model"),
    family="structure",
    control="width_scaling(phi={phi})",
    sweep={"phi": (0.5, 1.0, 2.0)},
    needs=("training", "images", "width", "depth"),
    quick=False,
)
def compound_scaling(recipe: Recipe, *, phi: float = 1.0) -> Recipe:
    """Scale depth, width and the images' sides together, to ``2 ** phi`` times the multiply-accumulates."""
    scaling.check("compound_scaling", phi)
    return scaling.shaped(recipe, phi, partial(_together, phi=phi), "compound_scaling", resizes=True)


def _together(cost: Cost, target: float, *, phi: float) -> Shape:
    """Depth and resolution by their constants, and the width that is left; as deep as before if none is left."""
    side = RESOLUTION**phi
    deep = Shape(depth=DEPTH**phi, resolution=side)
    depth = deep.depth if cost(deep) <= target else 1.0
    return scaling.nearest(cost, target, lambda width: Shape(depth=depth, width=width, resolution=side))
