"""Serve in float16: weights are cast once, activations stay in it from layer to layer.

Autocast, in contrast, casts every weight at each call. Half the bytes ship. It is faster if the processor has float16
products, or if memory bandwidth is the limit.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import nn

from suite.registry import technique
from suite.training.recipe import Recipe
from suite.training.surgery.casting import Cast


@technique(slots=("quantize",), family="precision", needs=("fp16",), precision="fp16")
def pure_fp16(recipe: Recipe) -> Recipe:
    """Serve with all weights and activations in float16; training is left alone."""

    def quantize(network: nn.Module, calibration: Any) -> nn.Module:
        return Cast(recipe.quantize(network, calibration), torch.float16)

    return replace(recipe, quantize=quantize)
