"""Cosine annealing: from the recipe's peak rate down to zero over the whole training.

Loshchilov & Hutter 2017, https://arxiv.org/abs/1608.03983, without restarts. Changes training alone; size and speed of
what is served stay.
"""

from __future__ import annotations

from dataclasses import replace

from suite.registry import technique
from suite.training import defaults
from suite.training.recipe import Recipe


@technique(slots=("schedule",), family="schedule", needs=("training",), quick=False)
def cosine(recipe: Recipe) -> Recipe:
    """Anneal the learning rate from its peak to zero along half a cosine."""
    return replace(recipe, schedule=defaults.cosine)
