"""Channels-last memory layout: pixels outermost, channels innermost, as most convolution kernels want it."""

from __future__ import annotations

from dataclasses import replace

from suite.registry import technique
from suite.training.recipe import Recipe


@technique(slots=("layout",), family="layout", needs=("images",))
def channels_last(recipe: Recipe) -> Recipe:
    """Keep weights and inputs in NHWC order, in training and in serving."""
    return replace(recipe, layout="channels_last")
