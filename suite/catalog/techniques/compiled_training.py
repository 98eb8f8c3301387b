"""torch.compile for training: the forward and the backward pass are compiled, serving stays eager."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from torch import nn

from suite.core.errors import CompositionError
from suite.registry import technique
from suite.training.compiling import compile_static
from suite.training.recipe import Recipe, same


@technique(slots=("prepare",), family="compilation", needs=("compiler",))
def compiled_training(recipe: Recipe) -> Recipe:
    """Train through TorchInductor; compilation is reported apart from training seconds."""
    if recipe.prepare is not same:
        raise CompositionError(
            "compiled_training compiles the network itself, and a technique before it wraps it; name "
            "compiled_training first"
        )

    def prepare(network: nn.Module) -> Callable[[Any], Any]:
        return compile_static(network)

    return replace(recipe, prepare=prepare)
