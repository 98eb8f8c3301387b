"""Ahead-of-time compilation: a shared library for any batch size that serves without tracing, or without Python.

AOTInductor: https://docs.pytorch.org/docs/stable/torch.compiler_aot_inductor.html. What ships is the package, library
and weights together: larger than the weights, and nothing is compiled where it is loaded. Weights are frozen. Answers
stay but for rounding; training is left alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from weakref import WeakKeyDictionary

from torch import nn

from suite.registry import technique
from suite.training.devices import place
from suite.training.exporting import aoti_package, load_aoti
from suite.training.recipe import Recipe
from suite.training.trees import to


@technique(slots=("deploy", "serialize"), family="compilation", needs=("compiler", "gpu_toolkit"), quick=False)
def aot_inductor(recipe: Recipe) -> Recipe:
    """Serve a package that AOTInductor has compiled."""
    made: WeakKeyDictionary[nn.Module, bytes] = WeakKeyDictionary()

    def package(network: nn.Module) -> bytes:
        if network not in made:
            device = next((str(weight.device) for weight in network.parameters()), "cpu")
            example = place(to(recipe.data().train.first(2).inputs, device), recipe.layout)
            made[network] = aoti_package(network, example)
        return made[network]

    def deploy(network: nn.Module) -> Callable[[Any], Any]:
        found: Callable[[Any], Any] = load_aoti(package(network))
        return found

    return replace(recipe, deploy=deploy, serialize=package)
