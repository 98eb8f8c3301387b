"""A Linear layer as the product of two thin ones, by truncated singular values."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn


class LowRank(nn.Sequential):
    """``up(down(x))`` in place of a Linear. Its ``weight`` [out, in] is for encoders, whose fast path reads it."""

    @property
    def weight(self) -> Tensor:
        return cast("Tensor", self[1].weight) @ cast("Tensor", self[0].weight)

    @property
    def parameters_per_step(self) -> int:
        """What one rank more adds: how far the size may move on a machine that rounds otherwise."""
        return cast("nn.Linear", self[0]).in_features + cast("nn.Linear", self[1]).out_features

    @property
    def bias(self) -> Tensor | None:
        return cast("Tensor | None", self[1].bias)


@torch.no_grad()
def factor(layer: nn.Linear, energy: float, rank: int) -> nn.Module:
    """Two layers of ``rank``, or of the least that keeps the share ``energy``; the layer itself if they are larger."""
    u, s, v = torch.linalg.svd(layer.weight, full_matrices=False)
    kept = rank or 1 + int((s.square().cumsum(0) < energy * s.square().sum()).sum())
    if kept * (layer.in_features + layer.out_features) >= layer.weight.numel():
        return layer
    root = s[:kept].sqrt()  # shared evenly: both factors then see gradients of one size
    down, up = nn.Linear(layer.in_features, kept, bias=False), nn.Linear(kept, layer.out_features)
    down.weight, up.weight = nn.Parameter(root[:, None] * v[:kept]), nn.Parameter(u[:, :kept] * root)
    up.bias = layer.bias
    return LowRank(down, up)
