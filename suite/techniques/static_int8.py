"""Static post-training quantization to int8 with real int8 convolutions (PT2E, TorchInductor on x86).

Jacob et al. 2018, https://arxiv.org/abs/1712.05877. Observers see training images; weights are scaled
per channel, activations per tensor. Compiled with freezing, since without it weights are quantized again at every call.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import nn
from torch.utils._pytree import tree_unflatten  # no public name holds it

from suite.errors import UnavailableError
from suite.registry import technique
from suite.training.compiling import compile_frozen
from suite.training.recipe import Recipe
from suite.training.trees import split, take, tree_map

OBSERVED_BATCH = 64
DEBUG_KEYS = ("stack_trace", "nn_module_stack", "source_fn_stack", "from_node", "torch_fn")  # hold paths


@technique(
    slots=("quantize", "deploy", "serialize"),
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

    return replace(recipe, quantize=quantize, deploy=deploy, serialize=_serialize)


@torch.no_grad()
def _quantize(network: nn.Module, calibration: Any) -> nn.Module:
    from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e  # slow to import
    from torchao.quantization.pt2e.quantizer import x86_inductor_quantizer as x86

    quantizer = x86.X86InductorQuantizer().set_global(x86.get_default_x86_inductor_quantization_config())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torchao's own deprecations, several at every call
        prepared = prepare_pt2e(_export(network, take(calibration, slice(2))).module(), quantizer)
        for inputs in split(calibration, OBSERVED_BATCH):
            prepared(inputs)
        return _without_float_weights(convert_pt2e(prepared))


def _export(network: nn.Module, example: Any) -> torch.export.ExportedProgram:
    """Strict tracing: one ReLU module that is called several times stays one node for each call, as quantizers need."""
    shapes = (tree_map(lambda _: {0: torch.export.Dim.DYNAMIC}, example),)
    try:
        return torch.export.export(network, (example,), dynamic_shapes=shapes, strict=True)
    except Exception as error:
        said = f"{type(error).__name__}: {error}".splitlines()[0]
        raise UnavailableError(f"static_int8: torch.export cannot trace this network ({said})") from error


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
        program = _export(network, _example(network))
        for node in program.graph.nodes:
            for key in DEBUG_KEYS:
                node.meta.pop(key, None)
        file = io.BytesIO()
        torch.export.save(program, file)
        return file.getbuffer().tobytes()


def _example(network: nn.Module) -> Any:
    """Zeros [2, ...] in the form, shapes and types of the inputs that ``network`` was traced with."""
    graph: Any = network.graph
    found = [node.meta["val"] for node in graph.nodes if node.op == "placeholder"]
    zeros = [torch.zeros(2, *map(int, value.shape[1:]), dtype=value.dtype) for value in found]
    (inputs,), _ = tree_unflatten(zeros, graph._codegen.pytree_info.in_spec)  # noqa: SLF001  # what its forward unpacks
    return inputs
