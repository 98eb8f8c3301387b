"""OneCycle: the learning rate rises to the recipe's peak and falls far below where it began, momentum the other way.

Smith & Topin 2017, https://arxiv.org/abs/1708.07120, with torch's settings: 30 % of the steps rise, cosines both ways.
Changes training alone; size and speed of what is served stay.
"""

from __future__ import annotations

from dataclasses import replace

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler, OneCycleLR

from suite.registry import technique
from suite.training.recipe import Recipe


@technique(slots=("schedule",), family="schedule", needs=("training",), quick=False)
def one_cycle(recipe: Recipe) -> Recipe:
    """Train with one cycle of the learning rate, up to the recipe's peak."""

    def schedule(optimizer: Optimizer, rate: float, steps: int) -> LRScheduler:
        has_momentum = not {"momentum", "betas"}.isdisjoint(optimizer.defaults)
        return OneCycleLR(optimizer, rate, total_steps=max(1, steps), cycle_momentum=has_momentum)

    return replace(recipe, schedule=schedule)
