"""Copies of networks: a measured network never shares weights with its original."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

Network = TypeVar("Network", bound=nn.Module)


def copied(network: Network) -> Network:
    """A deep copy. Tensors that a layer computed and keeps (old weight norm, a list of its last outputs) are copied
    without their history.

    torch refuses to copy those: they are no leaves of its graph. Layers compute them anew at each call.
    """
    memo: dict[int, Any] = {id(tensor): tensor.detach().clone() for tensor in _computed(network)}
    return copy.deepcopy(network, memo)


def _computed(network: nn.Module) -> Iterator[Tensor]:
    for module in network.modules():
        for value in vars(module).values():
            yield from _non_leaves(value)


def _non_leaves(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor) and not value.is_leaf:
        yield value
    elif type(value) in (list, tuple, dict):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _non_leaves(item)


def storages(network: nn.Module) -> dict[int, str]:
    """The name of each weight and buffer by the address of its memory; an empty tensor has none."""
    tensors = [*network.named_parameters(), *network.named_buffers()]
    initialized = [(name, tensor) for name, tensor in tensors if not torch.nn.parameter.is_lazy(tensor)]
    return {address: name for name, tensor in initialized if (address := _address(tensor))}


def _address(tensor: Tensor) -> int:
    try:
        return tensor.untyped_storage().data_ptr()
    except (RuntimeError, NotImplementedError):  # a tensor that is made of others, or on the meta device
        return 0
