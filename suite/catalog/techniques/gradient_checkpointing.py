"""Gradient checkpointing: keep what passes between segments of the network, compute the rest again during backward.

Chen et al. 2016, https://arxiv.org/abs/1604.06174. A training step's peak memory falls, by most where a network is
deep, and the step takes up to a third longer. Weights after training stay what they were but for rounding, and so
does all of serving. Random numbers are drawn alike both times; running statistics are updated once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from torch import nn

from suite.core.errors import UsageError
from suite.registry import technique
from suite.training.preparing import check_first
from suite.training.recipe import Recipe
from suite.training.surgery.segments import checkpointed


@technique(
    slots=("prepare",),
    family="memory",
    sweep={"segments": (0, 2, 4)},
    conflicts=("compiled_training",),  # which prepares the network in its own way
    quick=False,
)
def gradient_checkpointing(recipe: Recipe, *, segments: int = 0) -> Recipe:
    """Train in so many segments; 0: the square root of the number of operations, Chen et al.'s choice."""
    if segments < 0 or segments == 1:
        raise UsageError(f"gradient_checkpointing: segments must be 0 (the square root) or 2 or more, got {segments}")
    check_first(recipe, "gradient_checkpointing", "cuts")

    def prepare(network: nn.Module) -> Callable[[Any], Any]:
        return checkpointed(network, segments)

    return replace(recipe, prepare=prepare)
