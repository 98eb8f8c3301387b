"""Linear layers in float8: weights once, activations at every call, each scaled as a whole to the range of e4m3.

Micikevicius et al. 2022, 'FP8 Formats for Deep Learning', https://arxiv.org/abs/2209.05433; torchao's
Float8DynamicActivationFloat8WeightConfig. Smaller weights and faster products on the tensor cores that have float8.
Training, convolutions and layers whose sides are no multiples of 16, which the kernels demand, stay as they were.
"""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

from torch import nn

from suite.core.errors import UnavailableError
from suite.registry import technique
from suite.training.exporting import saved_bytes
from suite.training.recipe import Recipe
from suite.training.runtime import coded

MULTIPLE = 16


@technique(slots=("quantize", "runtime"), family="precision", needs=("torchao", "float8"), quick=False)
def fp8(recipe: Recipe) -> Recipe:
    """Serve Linear layers with weights and activations in float8."""

    def quantize(network: nn.Module, calibration: Any) -> nn.Module:
        return _quantize(recipe.quantize(network, calibration))

    return replace(recipe, quantize=quantize, runtime=coded(recipe.runtime, saved_bytes))


def _fits(module: nn.Module, _name: str = "") -> bool:
    return isinstance(module, nn.Linear) and not (module.in_features % MULTIPLE or module.out_features % MULTIPLE)


def _quantize(network: nn.Module) -> nn.Module:
    """In place. Raises `UnavailableError` for a network without a layer that the kernels take."""
    if not any(map(_fits, network.modules())):
        raise UnavailableError(f"fp8: the network has no Linear layer whose sides are multiples of {MULTIPLE}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torchao's own deprecations
        from torchao.quantization import Float8DynamicActivationFloat8WeightConfig, PerTensor, quantize_

        config = Float8DynamicActivationFloat8WeightConfig(granularity=PerTensor(), set_inductor_config=False)
        quantize_(network, config, filter_fn=_fits)  # settings of compilers would stay for whatever follows
    return network
