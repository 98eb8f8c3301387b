"""Gradient accumulation: a batch goes through the network in parts whose gradients add up.

As in Goyal et al. 2017, https://arxiv.org/abs/1706.02677, where workers hold the parts. A training step's activations
need ``steps`` times less memory; the step takes longer where a part fills the device no more. Losses that are means
over items give the whole batch's gradient but for rounding. Batch normalisation sees the parts: its statistics are
those of ``steps`` times fewer items, and quality may differ. Serving stays.
"""

from __future__ import annotations

from dataclasses import replace

from suite.core.errors import UsageError
from suite.registry import technique
from suite.training.recipe import Recipe


@technique(slots=("micro_batches",), family="batch", sweep={"steps": (2, 4, 8)}, needs=("training",), quick=False)
def accumulation(recipe: Recipe, *, steps: int = 4) -> Recipe:
    """Take each batch in ``steps`` parts, or as many as it has items."""
    if steps < 1:
        raise UsageError(f"accumulation: steps must be 1 or more, got {steps}")
    return replace(recipe, micro_batches=recipe.micro_batches * steps)
