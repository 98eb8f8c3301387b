"""torch.compile for training: the forward and the backward pass are compiled, serving stays eager."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from torch import nn

from suite.registry import technique
from suite.training.compiling import compile_static
from suite.training.preparing import check_first
from suite.training.recipe import Recipe


@technique(slots=("prepare",), family="compilation", needs=("compiler",), quick=False)
def compiled_training(recipe: Recipe) -> Recipe:
    """Train through TorchInductor; compilation is reported apart from training seconds."""
    check_first(recipe, "compiled_training", "compiles")

    def prepare(network: nn.Module) -> Callable[[Any], Any]:
        return compile_static(network)

    return replace(recipe, prepare=prepare)
