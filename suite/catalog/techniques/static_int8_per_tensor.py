"""Static post-training quantization to int8 with one scale for all weights of a layer: what scales per channel are for.

Krishnamoorthi 2018, https://arxiv.org/abs/1806.08342, finds that one scale for a layer costs accuracy where channels
differ in range, which folded norms make them do. Kernels and artefact are those of scales per channel (each channel
holds the same one), so bytes and speed should not differ; quality alone may.
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
    quick=False,
)
def static_int8_per_tensor(recipe: Recipe) -> Recipe:
    """Quantize weights and activations to int8 after training, with one scale for all weights of a layer."""

    def quantize(network: nn.Module, calibration: Any) -> nn.Module:
        return quantized(recipe.quantize(network, calibration), calibration, per_channel=False)

    runtime = coded(running(recipe.runtime, lambda network, _: compile_frozen(network)), exported_bytes)
    return replace(recipe, quantize=quantize, runtime=runtime)
