"""Large batches: consecutive batches of the recipe become one, and the learning rate grows with them.

Linear rule: Goyal et al. 2017, https://arxiv.org/abs/1706.02677. Square root, for Adam and its kin: Malladi et al.
2022, https://arxiv.org/abs/2205.10287. As many epochs, so ``factor`` times fewer steps and more memory; what is left
over at an epoch's end is a smaller batch. Size and speed of what is served stay, and so does a recipe's own rate of
fine-tuning.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

import torch

from suite.core.errors import UsageError
from suite.registry import technique
from suite.training.recipe import Batch, Recipe, Split
from suite.training.trees import cat

RULES = {"linear": 1.0, "sqrt": 0.5, "none": 0.0}  # powers of the factor


@technique(
    slots=("batches", "steps_per_epoch", "learning_rate"),
    family="batch",
    sweep={"factor": (2, 4, 8), "rule": ("linear", "sqrt")},
    needs=("training",),
    quick=False,
)
def large_batch(recipe: Recipe, *, factor: int = 4, rule: str = "linear") -> Recipe:
    """Train on batches ``factor`` times as large, at a rate that follows ``rule``: linear, sqrt or none."""
    if factor < 1:
        raise UsageError(f"large_batch: factor must be 1 or more, got {factor}")
    if rule not in RULES:
        raise UsageError(f"large_batch: rule must be one of {', '.join(RULES)}, got {rule!r}")

    def batches(train: Split, generator: torch.Generator) -> Iterator[Batch]:
        small = iter(recipe.batches(train, generator))
        while parts := list(islice(small, factor)):
            yield Batch(inputs=cat([part.inputs for part in parts]), targets=cat([part.targets for part in parts]))

    counted = recipe.steps_per_epoch
    steps = None if counted is None else lambda examples: -(-counted(examples) // factor)
    rate = recipe.learning_rate * factor ** RULES[rule]
    return replace(recipe, batches=batches, steps_per_epoch=steps, learning_rate=rate)
