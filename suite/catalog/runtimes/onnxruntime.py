"""ONNX Runtime in float32: what ships is one ONNX file. `suite.training.onnx_engine` has sources and limits."""

from __future__ import annotations

from dataclasses import replace

from suite.registry import technique
from suite.training.onnx_engine import ONNXRuntime, installed
from suite.training.recipe import Recipe


@technique(slots=("runtime",), family="runtimes", needs=(installed,), runs=False)
def onnxruntime(recipe: Recipe) -> Recipe:
    """Serve with ONNX Runtime in float32."""
    return replace(recipe, runtime=ONNXRuntime())
