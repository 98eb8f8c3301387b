"""Low-rank adapters of Linear layers (LoRA): trained beside frozen weights, then added to them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

import torch
import torch.nn.functional as F  # noqa: N812  # torch's own convention
from torch import Tensor, nn

from suite.training.surgery.tied import own_layers


class LowRankAdapted(nn.Linear):
    """A Linear layer, its own weight and bias, and ``scale * up @ down`` beside them: [in, rank] and [rank, out]."""

    def __init__(self, layer: nn.Linear, rank: int, scale: float) -> None:
        super().__init__(layer.in_features, layer.out_features, bias=False, device="meta")
        self.weight, self.bias, self.scale = layer.weight, layer.bias, scale
        self.down = nn.Parameter(layer.weight.new_empty(rank, layer.in_features))
        self.up = nn.Parameter(layer.weight.new_zeros(layer.out_features, rank))
        nn.init.kaiming_uniform_(self.down, a=math.sqrt(5))  # as a Linear layer's own weight

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) + self.scale * F.linear(F.linear(x, self.down), self.up)


@contextmanager
def adapted(network: nn.Module, rank: int, scale: float, technique: str) -> Iterator[nn.Module]:
    """``network`` with adapters, all else frozen; afterwards they are merged and the layers are the old ones.

    Raises `UnavailableError` in the name of ``technique`` for a network without a Linear layer of its own.
    """
    layers = {name: network.get_submodule(name) for name in own_layers(network, nn.Linear, technique)}
    trainable = [weight for weight in network.parameters() if weight.requires_grad]
    network.requires_grad_(False)
    for name, layer in layers.items():
        network = _put(network, name, LowRankAdapted(layer, rank, scale))  # type: ignore[arg-type]
    try:
        yield network
    finally:
        for name, layer in layers.items():
            _merge(network.get_submodule(name), layer)  # type: ignore[arg-type]
            network = _put(network, name, layer)
        for weight in trainable:
            weight.requires_grad_(True)


@torch.no_grad()
def _merge(adapter: LowRankAdapted, layer: nn.Linear) -> None:
    layer.weight.add_(adapter.scale * adapter.up @ adapter.down)


def _put(network: nn.Module, name: str, layer: nn.Module) -> nn.Module:
    """``network`` with ``layer`` under a name; it is the layer itself for the empty name."""
    if not name:
        return layer
    network.set_submodule(name, layer)
    return network
