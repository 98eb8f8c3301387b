"""Static post-training quantization to int8 with real int8 convolutions (PT2E, TorchInductor on x86).

Jacob et al. 2018, https://arxiv.org/abs/1712.05877. Observers see training images; weights are scaled
per channel, activations per tensor. Compiled with freezing, since without it weights are quantized again at every call.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from torch import nn

from suite.registry import technique
from suite.training.compiling import compile_frozen
from suite.training.exporting import exported_bytes
from suite.training.recipe import Recipe
from suite.training.runtime import coded, running
from suite.training.surgery.static_quantization import quantizable, quantized


@technique(
    slots=("quantize", "runtime"),
    family="quantization",
    needs=("compiler", "int8_cpu", "torchao", quantizable),
    conflicts=("compiled",),
    precision="int8",
)
def static_int8(recipe: Recipe) -> Recipe:
    """Quantize weights and activations of every layer to int8 after training."""

    def quantize(network: nn.Module, calibration: Any) -> nn.Module:
        return quantized(recipe.quantize(network, calibration), calibration)

    runtime = coded(running(recipe.runtime, lambda network, _: compile_frozen(network)), exported_bytes)
    return replace(recipe, quantize=quantize, runtime=runtime)
