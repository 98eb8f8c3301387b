"""Static post-training quantization to int8 with real int8 convolutions (PT2E, TorchInductor on x86).

Jacob et al. 2018, https://arxiv.org/abs/1712.05877. Observers see training images; weights are scaled
per channel, activations per tensor. Compiled with freezing, since without it weights are quantized again at every call.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor, nn

from suite.registry import technique
from suite.training.compiling import compile_frozen
from suite.training.recipe import Recipe

OBSERVED_BATCH = 64
DEBUG_KEYS = ("stack_trace", "nn_module_stack", "source_fn_stack", "from_node", "torch_fn")  # hold paths


@technique(
    slots=("quantize", "deploy"),
    needs=("compiler", "int8_cpu", "torchao"),
    conflicts=("amp_bf16", "amp_fp16", "compiled"),
)
def static_int8(recipe: Recipe) -> Recipe:
    """Quantize weights and activations of every layer to int8 after training."""

    def deploy(network: nn.Module) -> Callable[[Tensor], Tensor]:
        return compile_frozen(network)

    return replace(recipe, quantize=_quantize, deploy=deploy, serialize=_serialize)


@torch.no_grad()
def _quantize(network: nn.Module, calibration: Tensor) -> nn.Module:
    from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e  # slow to import
    from torchao.quantization.pt2e.quantizer import x86_inductor_quantizer as x86

    quantizer = x86.X86InductorQuantizer().set_global(x86.get_default_x86_inductor_quantization_config())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torchao's own deprecations, several at every call
        prepared = prepare_pt2e(_export(network, calibration[:2]).module(), quantizer)
        for inputs in calibration.split(OBSERVED_BATCH):
            prepared(inputs)
        return _without_float_weights(convert_pt2e(prepared))


def _export(network: nn.Module, example: Tensor) -> torch.export.ExportedProgram:
    return torch.export.export(network, (example,), dynamic_shapes=({0: torch.export.Dim.DYNAMIC},))


def _without_float_weights(network: nn.Module) -> nn.Module:
    """Drop the float weights that the converted graph no longer reads but still carries."""
    used = {node.target for node in network.graph.nodes if node.op == "get_attr"}  # type: ignore[union-attr]
    for name, _ in list(network.named_parameters()):
        if name not in used:
            owner, _, leaf = name.rpartition(".")
            delattr(network.get_submodule(owner), leaf)
    return network


def _serialize(network: nn.Module) -> bytes:
    """The exported program without its debugging metadata, whose length depends on where the suite is installed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        shape = next(node for node in network.graph.nodes if node.op == "placeholder").meta["val"].shape  # type: ignore[union-attr]
        program = _export(network, torch.zeros(2, *map(int, shape[1:])))
        for node in program.graph.nodes:
            for key in DEBUG_KEYS:
                node.meta.pop(key, None)
        file = io.BytesIO()
        torch.export.save(program, file)
        return file.getbuffer().tobytes()
