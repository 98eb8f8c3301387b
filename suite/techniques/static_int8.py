"""Static post-training quantization to int8 with real int8 convolutions (PT2E, TorchInductor on x86).

Jacob et al. 2018, https://arxiv.org/abs/1712.05877. Observers see training images; weights are scaled
per channel, activations per tensor. Compiled with freezing, since without it weights are quantized again at every call.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from suite.registry import technique
from suite.training.compiling import compile_frozen
from suite.training.exporting import export, exported_bytes
from suite.training.recipe import Recipe
from suite.training.trees import split, take

OBSERVED_BATCH = 64


@technique(
    slots=("quantize", "deploy", "serialize"),
    family="quantization",
    needs=("compiler", "int8_cpu", "torchao"),
    conflicts=("compiled",),
    precision="int8",
)
def static_int8(recipe: Recipe) -> Recipe:
    """Quantize weights and activations of every layer to int8 after training."""

    def deploy(network: nn.Module) -> Callable[[Any], Any]:
        return compile_frozen(network)

    def quantize(network: nn.Module, calibration: Any) -> nn.Module:
        return _quantize(recipe.quantize(network, calibration), calibration)

    return replace(recipe, quantize=quantize, deploy=deploy, serialize=exported_bytes)


@torch.no_grad()
def _quantize(network: nn.Module, calibration: Any) -> nn.Module:
    from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e  # slow to import
    from torchao.quantization.pt2e.quantizer import x86_inductor_quantizer as x86

    quantizer = x86.X86InductorQuantizer().set_global(x86.get_default_x86_inductor_quantization_config())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torchao's own deprecations, several at every call
        prepared = prepare_pt2e(export(network, take(calibration, slice(2))).module(), quantizer)
        for inputs in split(calibration, OBSERVED_BATCH):
            prepared(inputs)
        return _without_float_weights(convert_pt2e(prepared))


def _without_float_weights(network: nn.Module) -> nn.Module:
    """Drop the float weights that the converted graph no longer reads but still carries."""
    used = {node.target for node in network.graph.nodes if node.op == "get_attr"}  # type: ignore[union-attr]
    for name, _ in list(network.named_parameters()):
        if name not in used:
            owner, _, leaf = name.rpartition(".")
            delattr(network.get_submodule(owner), leaf)
    return network
