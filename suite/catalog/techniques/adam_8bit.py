"""Adam with its two moments in 8 bits: blocks of 256 values share a scale and a table of 256 levels.

Dettmers et al. 2022, https://arxiv.org/abs/2110.02861, as torchao or its authors' bitsandbytes builds it. What is held
while training falls by nearly six bytes for each weight of a tensor of 4,096 or more; smaller ones keep float32. A step
takes longer. torchao would compile its rule, anew for each value of beta, and schedules such as OneCycle change that at
every step; so it runs eagerly here, with temporary tensors in float32. bitsandbytes has a kernel, which needs none.
Rates, betas, decay and hooks are the recipe's own. Serving stays.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from torch import nn
from torch.optim import Optimizer

from suite.core.errors import UsageError
from suite.registry import technique
from suite.training import eight_bit
from suite.training.recipe import Recipe


def has_library(case: Any) -> str | None:
    """Why the library that was asked for cannot be used; a need of this technique."""
    for found, bound in case.composition.members:
        library = bound.get("library")
        if found.name == adam_8bit.__name__ and library in eight_bit.EXTRAS:
            return eight_bit.missing(library)
    return None


@technique(
    slots=("optimizer",),
    family="optimizer",
    sweep={"library": tuple(eight_bit.EXTRAS)},
    needs=("adam", has_library),
    quick=False,
)
def adam_8bit(recipe: Recipe, *, library: str = "torchao") -> Recipe:
    """Hold the moments of Adam or AdamW in 8 bits, by ``torchao`` or ``bitsandbytes``."""
    if library not in eight_bit.EXTRAS:
        raise UsageError(f"adam_8bit: library must be one of {', '.join(eight_bit.EXTRAS)}, got {library!r}")

    def optimizer(parameters: Iterable[nn.Parameter], rate: float) -> Optimizer:
        return eight_bit.in_8_bits(recipe.optimizer(parameters, rate), library)

    return replace(recipe, optimizer=optimizer)
