"""ONNX Runtime in 8 bits, dynamic: ranges of activations are taken at each call. `suite.training.onnx_engine`."""

from __future__ import annotations

from dataclasses import replace

from suite.registry import technique
from suite.training.onnx_engine import ONNXRuntime, dynamic, installed
from suite.training.recipe import Recipe


@technique(slots=("runtime",), family="runtimes", needs=(installed,), runs=False)
def onnxruntime_dynamic_int8(recipe: Recipe) -> Recipe:
    """Serve with ONNX Runtime, weights in 8 bits and activations by their range at each call."""
    return replace(recipe, runtime=ONNXRuntime(precision="int8", quantize=dynamic))
