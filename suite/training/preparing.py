"""What training calls: a network as its recipe prepares it, which may wrap it and set weights to zero, no more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import nn

from suite.core.errors import CompositionError, TechniqueError
from suite.training.data import test_sealed
from suite.training.fingerprints import moved, values
from suite.training.recipe import Recipe, same


def prepared(network: nn.Module, recipe: Recipe) -> Callable[[Any], Any]:
    """The form of ``network`` that training calls.

    Raises `TechniqueError` if preparing changes weights: no clock runs yet, so it would train for nothing. Weights that
    become zero are masked, and those that are rounded change their type.
    """
    if recipe.prepare is same:
        return network
    before = values(network)
    with test_sealed("preparing"):
        forward = recipe.prepare(network)
    name = moved(before, network)
    if name is not None:
        raise TechniqueError(
            f"the slot prepare changes {name} of the network, and no training clock runs yet: it may wrap the network "
            "or set weights to zero; train in the loop, and initialise in the slot model"
        )
    return forward


def check_first(recipe: Recipe, technique: str, does: str) -> None:
    """Raise `CompositionError` if an earlier technique wraps the network: ``technique`` prepares it in its own way."""
    if recipe.prepare is not same:
        raise CompositionError(
            f"{technique} {does} the network itself, and a technique before it wraps it; name {technique} first"
        )
