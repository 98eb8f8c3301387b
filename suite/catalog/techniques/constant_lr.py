"""A constant learning rate: the recipe's peak rate at every step, as the article's code trains.

What every schedule is compared with since Robbins & Monro 1951, https://doi.org/10.1214/aoms/1177729586, whose steps
must shrink to converge. Changes training alone; size and speed of what is served stay.
"""

from __future__ import annotations

from dataclasses import replace

from torch.optim import Optimizer
from torch.optim.lr_scheduler import ConstantLR, LRScheduler

from suite.registry import technique
from suite.training.recipe import Recipe


@technique(slots=("schedule",), family="schedule", needs=("training",), quick=False)
def constant_lr(recipe: Recipe) -> Recipe:
    """Train at the recipe's peak learning rate throughout."""

    def schedule(optimizer: Optimizer, _rate: float, _steps: int) -> LRScheduler:
        return ConstantLR(optimizer, factor=1.0, total_iters=0)

    return replace(recipe, schedule=schedule)
