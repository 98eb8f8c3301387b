"""Weight-only int8: Linear weights are stored in int8, one scale for each output, and products are in float32.

torchao's ``Int8WeightOnlyConfig``, https://docs.pytorch.org/ao/stable/. Rounds to nearest, symmetrically; no data are
looked at. Convolutions stay. Saves bytes and memory traffic, not arithmetic: activations and products are as before.
"""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

from torch import nn

from suite.registry import technique
from suite.training.exporting import saved_bytes
from suite.training.recipe import Recipe
from suite.training.runtime import coded
from suite.training.surgery.tied import own_layers


@technique(slots=("quantize", "runtime"), family="quantization", needs=("torchao",), quick=False)
def weight_only_int8(recipe: Recipe) -> Recipe:
    """Store the weights of Linear layers in int8 after training."""

    def quantize(network: nn.Module, calibration: Any) -> nn.Module:
        return _quantize(recipe.quantize(network, calibration))

    return replace(recipe, quantize=quantize, runtime=coded(recipe.runtime, saved_bytes))


def _quantize(network: nn.Module) -> nn.Module:
    """In place; tied weights stay. Raises `UnavailableError` for a network without a Linear layer of its own."""
    own = frozenset(own_layers(network, nn.Linear, "weight_only_int8"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torchao's own deprecations
        from torchao.quantization import Int8WeightOnlyConfig, quantize_  # slow to import

        config = Int8WeightOnlyConfig(set_inductor_config=False)  # or settings of compilers would stay
        quantize_(network, config, filter_fn=lambda _module, name: name in own)
    return network
