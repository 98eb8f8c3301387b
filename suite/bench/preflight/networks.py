"""Networks of a kind that no technique can take: they are refused by name, before anything is copied."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from suite.bench.preflight.moved import named
from suite.core.errors import UsageError


def check_kind(network: Any) -> None:
    """Raise `UsageError` for a ScriptModule, and for sparse weights and buffers; what is no network passes."""
    if isinstance(network, torch.jit.ScriptModule):
        raise UsageError(
            "it is a ScriptModule (torch.jit), whose layers no technique can change; return the Python module that it "
            "was made from, with its weights loaded"
        )
    if isinstance(network, nn.Module):
        _check_dense(network)


def _check_dense(network: nn.Module) -> None:
    tensors = {**dict(network.named_parameters()), **dict(network.named_buffers())}
    sparse = {name: tensor.layout for name, tensor in tensors.items() if tensor.layout != torch.strided}
    if sparse:
        layout = str(next(iter(sparse.values()))).removeprefix("torch.")
        raise UsageError(
            f"its tensors {named(tuple(sparse))} are not dense ({layout}), and cannot be copied or written to files; "
            "keep them dense (.to_dense()), or their indices and values as buffers and make the tensor in forward"
        )
