"""ONNX Runtime in 8 bits, static: ranges of activations come from training inputs. `suite.training.onnx_engine`."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from suite.registry import technique
from suite.training.onnx_engine import ONNXRuntime, installed, static
from suite.training.recipe import Recipe
from suite.training.serving import calibration_inputs


@technique(slots=("runtime",), family="runtimes", needs=(installed,), runs=False)
def onnxruntime_int8(recipe: Recipe) -> Recipe:
    """Serve with ONNX Runtime, weights and activations in 8 bits by ranges of training inputs."""
    quantize = partial(static, lambda: calibration_inputs(recipe))
    return replace(recipe, runtime=ONNXRuntime(precision="int8", quantize=quantize))
