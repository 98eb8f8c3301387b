"""Dynamic int8 quantization of Linear layers: weights once, activations at every call by their range of the moment.

``torch.ao.quantization.quantize_dynamic``, https://docs.pytorch.org/docs/stable/quantization.html, deprecated by now.
Convolutions always stay in float32, so bytes fall by the share of the Linear layers alone. CPUs only. Not among what
``--precision int8`` composes: most of a convolutional network computes in float32.
"""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from suite.core.errors import UnavailableError
from suite.registry import technique
from suite.training.exporting import saved_bytes
from suite.training.recipe import Recipe
from suite.training.runtime import coded
from suite.training.surgery.tied import own_layers


@technique(slots=("quantize", "runtime"), family="quantization", quick=False)
def dynamic_int8(recipe: Recipe) -> Recipe:
    """Serve Linear layers with int8 weights and activations quantized on the fly; training is left alone."""

    def quantize(network: nn.Module, calibration: Any) -> nn.Module:
        return _quantize(recipe.quantize(network, calibration))

    return replace(recipe, quantize=quantize, runtime=coded(recipe.runtime, saved_bytes))


def _quantize(network: nn.Module) -> nn.Module:
    """A copy. Raises `UnavailableError` where nothing would be quantized, or nothing could compute with it."""
    device = next((parameter.device.type for parameter in network.parameters()), "cpu")
    if device != "cpu" or torch.backends.quantized.engine == "none":
        where = f"the network is on {device}" if device != "cpu" else "this torch was built without one"
        raise UnavailableError(f"dynamic_int8: torch has int8 Linear kernels for CPUs alone, and {where}")
    own = own_layers(network, nn.Linear, "dynamic_int8")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the deprecation, at every call
        try:
            from torch.ao.quantization import quantize_dynamic
        except ImportError as error:
            raise UnavailableError(
                f"dynamic_int8: torch {torch.__version__} has no quantize_dynamic any more"
            ) from error
        found: nn.Module = quantize_dynamic(network, set(own), dtype=torch.qint8)
    for module in found.modules():
        if isinstance(module, nn.TransformerEncoderLayer):
            module.activation_relu_or_gelu = 0  # off its fast path, which takes weights for tensors
    return found
