"""Weight-only int8: Linear weights are stored in int8, one scale for each output, and products are in float32.

torchao's ``Int8WeightOnlyConfig``, https://docs.pytorch.org/ao/stable/. Rounds to nearest, symmetrically; no data are
looked at. Convolutions stay. Saves bytes and memory traffic, not arithmetic: activations and products are as before.
"""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

from torch import nn

from suite.errors import UnavailableError
from suite.registry import technique
from suite.training.exporting import saved_bytes
from suite.training.recipe import Recipe


@technique(slots=("quantize", "serialize"), family="quantization", needs=("torchao",), quick=False)
def weight_only_int8(recipe: Recipe) -> Recipe:
    """Store the weights of Linear layers in int8 after training."""

    def quantize(network: nn.Module, calibration: Any) -> nn.Module:
        return _quantize(recipe.quantize(network, calibration))

    return replace(recipe, quantize=quantize, serialize=saved_bytes)


def _quantize(network: nn.Module) -> nn.Module:
    """In place. Raises `UnavailableError` for a network without a Linear layer."""
    if not any(isinstance(module, nn.Linear) for module in network.modules()):
        raise UnavailableError("weight_only_int8: the network has no Linear layer, and convolutions stay in float32")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torchao's own deprecations
        from torchao.quantization import Int8WeightOnlyConfig, quantize_  # slow to import

        quantize_(network, Int8WeightOnlyConfig(set_inductor_config=False))  # or settings of compilers would stay
    return network
