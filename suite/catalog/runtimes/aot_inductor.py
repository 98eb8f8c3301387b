"""Ahead-of-time compilation: a shared library for any batch size that serves without tracing, or without Python.

AOTInductor: https://docs.pytorch.org/docs/stable/torch.compiler_aot_inductor.html. What ships is the package, library
and weights together: larger than the weights, and nothing is compiled where it is loaded. Weights are frozen. Answers
stay but for rounding; training is left alone.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from torch import nn

from suite.registry import technique
from suite.training.exporting import aoti_package, load_aoti
from suite.training.recipe import Recipe
from suite.training.runtime import Artifact, Predictor

PACKAGE = "network.pt2"


@technique(slots=("runtime",), family="compilation", needs=("compiler", "gpu_toolkit"), quick=False)
def aot_inductor(recipe: Recipe) -> Recipe:
    """Serve a package that AOTInductor has compiled."""
    return replace(recipe, runtime=AOTInductor())


class AOTInductor:
    """Compiles a network to a package. Its activations, and so its peak, are in torch's allocator."""

    def export(self, network: nn.Module, example: Any) -> Artifact:
        """The package of ``network``, compiled now, for any number of items like ``example`` [2, ...]."""
        package = aoti_package(network, example)
        return Artifact(write=lambda: {PACKAGE: package})

    def load(self, artifact: Artifact, device: str) -> Predictor:
        """What the package computes; it was compiled for the device of the network that was exported."""
        del device
        return Predictor(call=load_aoti(artifact.files[PACKAGE]), in_torch=True)
