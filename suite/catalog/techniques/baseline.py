"""The workload's plain recipe: what speed, size and memory are compared with."""

from __future__ import annotations

from suite.registry import technique
from suite.training.recipe import Recipe


@technique(slots=())
def baseline(recipe: Recipe) -> Recipe:
    """Change nothing."""
    return recipe
