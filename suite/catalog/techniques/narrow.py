"""A narrower network trained on hard labels: the control of distillation."""

from __future__ import annotations

from dataclasses import replace

from suite.core.errors import UsageError
from suite.registry import technique
from suite.training.recipe import Recipe, scaled


@technique(slots=("model",), family="structure", sweep={"width": (0.25, 0.5)}, needs=("width",), quick=False)
def narrow(recipe: Recipe, *, width: float = 0.25) -> Recipe:
    """Scale the network's channels by ``width``."""
    if not 0 < width <= 1:
        raise UsageError(f"narrow: width must be in (0, 1], got {width}")
    return replace(recipe, model=scaled(recipe.model, width))
