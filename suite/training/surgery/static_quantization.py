"""Static post-training quantization to int8 (PT2E, TorchInductor on x86): what techniques of it share.

Observers see training inputs. Activations are scaled per tensor; weights for each output channel, or all of a tensor
alike.
"""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from suite.core.errors import UnavailableError
from suite.training.exporting import export
from suite.training.surgery.tied import ties
from suite.training.trees import split, take

OBSERVED_BATCH = 64


@torch.no_grad()
def quantized(network: nn.Module, calibration: Any, *, per_channel: bool = True) -> nn.Module:
    """``network`` exported with int8 weights and activations, observed on ``calibration`` (a tree [N, ...]).

    Raises `UnavailableError` as `check_quantizable`.
    """
    check_quantizable(network)
    from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e  # slow to import
    from torchao.quantization.pt2e.quantizer import x86_inductor_quantizer as x86

    config = x86.get_default_x86_inductor_quantization_config()
    quantizer = x86.X86InductorQuantizer().set_global(config if per_channel else _one_scale(config))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torchao's own deprecations, several at every call
        prepared = prepare_pt2e(export(network, take(calibration, slice(2))).module(), quantizer)
        for inputs in split(calibration, OBSERVED_BATCH):
            prepared(inputs)
        return without_float_weights(convert_pt2e(prepared))


def quantizable(case: Any) -> str | None:
    """Why the cell's plain network cannot be quantized, before it is trained; a need of techniques."""
    try:
        check_quantizable(case.workload.plain(0).model())
    except UnavailableError as error:
        return str(error)
    return None


def check_quantizable(network: nn.Module) -> None:
    """Raise `UnavailableError` for weights that are tied (codes would be a second copy), computed, or not float32."""
    _check_untied(network)
    _check_own(network)
    other = next((name for name, one in network.named_parameters() if one.dtype != torch.float32), None)
    if other is not None:
        dtype = str(network.get_parameter(other).dtype).removeprefix("torch.")
        raise UnavailableError(f"static int8: {other} is {dtype}, and the observers take float32 alone")


def _check_untied(network: nn.Module) -> None:
    names = next(iter(ties(network)), None)
    if names is not None:
        raise UnavailableError(
            f"static int8: {' and '.join(names[:2])} are tied, and their codes would be a second copy"
        )


def _check_own(network: nn.Module) -> None:
    """A weight that `torch.nn.utils.weight_norm` computes before each call is a plain tensor of its module."""
    for name, module in network.named_modules():
        if isinstance(vars(module).get("weight"), Tensor):
            raise UnavailableError(
                f"static int8: a hook computes the weight of {name or 'the network'} before each call, so that it has "
                "no codes; normalise it with torch.nn.utils.parametrizations"
            )


def _one_scale(config: Any) -> Any:
    """``config`` with weights that all have their tensor's range, in the per-channel format.

    TorchInductor has int8 kernels for that format alone; weights in the per-tensor one would be computed in float32.
    """
    from torchao.quantization.pt2e.observer import PerChannelMinMaxObserver

    class OneRange(PerChannelMinMaxObserver):  # type: ignore[misc]
        """Every channel has the range of the whole tensor."""

        def calculate_qparams(self) -> tuple[Tensor, Tensor]:
            low, high = (torch.full_like(self.min_val, float(v)) for v in (self.min_val.min(), self.max_val.max()))
            return self._calculate_qparams(low, high)  # type: ignore[no-any-return]

    eps = 2**-12  # as in the quantizer's own configuration
    return replace(config, weight=replace(config.weight, observer_or_fake_quant_ctr=OneRange.with_args(eps=eps)))


def without_float_weights(network: nn.Module) -> nn.Module:
    """Drop the float weights that the converted graph no longer reads but still carries."""
    used = {node.target for node in network.graph.nodes if node.op == "get_attr"}  # type: ignore[union-attr]
    for name, _ in list(network.named_parameters()):
        if name not in used:
            owner, _, leaf = name.rpartition(".")
            delattr(network.get_submodule(owner), leaf)
    return network
