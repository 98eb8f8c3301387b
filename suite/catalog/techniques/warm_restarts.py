"""Warm restarts (SGDR): cosine annealing that starts again at the peak, each cycle longer than the one before.

Loshchilov & Hutter 2017, https://arxiv.org/abs/1608.03983. The cycles fill the training, so that it ends where the last
one does, near zero. Changes training alone; size and speed of what is served stay.
"""

from __future__ import annotations

from dataclasses import replace

from torch.optim import Optimizer
from torch.optim.lr_scheduler import CosineAnnealingWarmRestarts, LRScheduler

from suite.core.errors import UsageError
from suite.registry import technique
from suite.training.recipe import Recipe


@technique(slots=("schedule",), family="schedule", sweep={"cycles": (2, 3)}, needs=("training",), quick=False)
def warm_restarts(recipe: Recipe, *, cycles: int = 2, growth: int = 2) -> Recipe:
    """Anneal from the recipe's peak rate in ``cycles``, each ``growth`` times as long as the last."""
    for name, value in (("cycles", cycles), ("growth", growth)):
        if value < 1:
            raise UsageError(f"warm_restarts: {name} must be 1 or more, got {value}")

    def schedule(optimizer: Optimizer, _rate: float, steps: int) -> LRScheduler:
        lengths = sum(growth**cycle for cycle in range(cycles))  # in units of the first
        first = max(1, -(-steps // lengths))  # rounded up: no cycle begins just before the end
        return CosineAnnealingWarmRestarts(optimizer, T_0=first, T_mult=growth)

    return replace(recipe, schedule=schedule)
