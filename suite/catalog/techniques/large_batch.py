"""Large batches: consecutive batches of the recipe become one, and the learning rate grows with them.

The rule is the optimizer's: linear (Goyal et al. 2017, https://arxiv.org/abs/1706.02677), and for Adam and its kin the
square root with shorter averages and a smaller eps (Malladi et al. 2022, https://arxiv.org/abs/2205.10287). The first
1/18 of the steps warm up from the small batch's rate, as in Goyal's training. As many epochs, so ``factor`` times fewer
steps and more memory; what is left over at an epoch's end is a smaller batch. Fine-tuning has the large batches and
follows the rule, too. Size and speed of what is served stay. A technique with a schedule of its own comes first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

import torch

from suite.core.errors import UsageError
from suite.registry import technique
from suite.training import scaling_rules
from suite.training.recipe import Batch, Recipe, Split
from suite.training.trees import cat

RULES = {
    "auto": scaling_rules.by_optimizer,
    "linear": scaling_rules.linear,
    "sqrt": scaling_rules.square_root,
    "none": lambda schedule, _factor: schedule,
}


@technique(
    slots=("batches", "steps_per_epoch", "schedule"),
    family="batch",
    sweep={"factor": (2, 4, 8), "rule": ("auto", "none")},
    needs=("training",),
    quick=False,
)
def large_batch(recipe: Recipe, *, factor: int = 4, rule: str = "auto") -> Recipe:
    """Train on batches ``factor`` times as large, at a rate that follows ``rule``: auto, linear, sqrt or none."""
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
    schedule = recipe.schedule if factor == 1 else RULES[rule](recipe.schedule, factor)
    return replace(recipe, batches=batches, steps_per_epoch=steps, schedule=schedule)
