"""Compound scaling: depth, width and resolution grow together, for about ``2 ** phi`` times the arithmetic.

EfficientNet, Tan & Le 2019, https://arxiv.org/abs/1905.11946, with its own constants: depth 1.2, width 1.1
and resolution 1.15, each to the power ``phi``. How layers are rounded is the model's: a small network steps by much.
Images are resized, so they gain no detail beyond their source. Everything costs more; training's length in steps stays.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import torch.nn.functional as F  # noqa: N812  # torch's own convention
from torch import nn

from suite.core.errors import UsageError
from suite.registry import technique
from suite.training.recipe import Recipe, Split, Splits
from suite.training.surgery.axes import takes

DEPTH, WIDTH, RESOLUTION = 1.2, 1.1, 1.15


@technique(
    slots=("data", "model"),
    family="structure",
    sweep={"phi": (0.5, 1.0, 2.0)},
    needs=("training", "images", "width", "depth"),
    quick=False,
)
def compound_scaling(recipe: Recipe, *, phi: float = 1.0) -> Recipe:
    """Scale depth by ``1.2 ** phi``, width by ``1.1 ** phi`` and the images' sides by ``1.15 ** phi``."""
    if phi < 0:
        raise UsageError(f"compound_scaling: phi must be 0 or more, got {phi}")

    @cache
    def data() -> Splits:
        found = recipe.data()
        validation = None if found.validation is None else _resized(found.validation, phi)
        return Splits(train=_resized(found.train, phi), validation=validation, test=_resized(found.test, phi))

    return replace(recipe, data=data, model=_scaled(recipe, data, phi))


def _scaled(recipe: Recipe, data: Callable[[], Splits], phi: float) -> Callable[..., nn.Module]:
    """A model that also receives the images' side if its layers depend on it (``pixels=``)."""

    def model(width: float = 1.0, depth: float = 1.0) -> nn.Module:
        sides = {"pixels": data().train.inputs.shape[-1]} if takes(recipe, "pixels") else {}
        return recipe.model(width=width * WIDTH**phi, depth=depth * DEPTH**phi, **sides)

    return model


def _resized(part: Split, phi: float) -> Split:
    size = tuple(round(side * RESOLUTION**phi) for side in part.inputs.shape[2:])
    inputs = F.interpolate(part.inputs, size=size, mode="bilinear", align_corners=False)
    return Split(inputs=inputs, targets=part.targets, ids=part.ids)
