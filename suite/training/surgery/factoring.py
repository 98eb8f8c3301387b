"""A layer as two thin ones, by truncated singular values: Linear layers, and convolutions as a column's and a row's.

A k x k convolution becomes k x 1 filters to ``R`` channels and 1 x k filters from these (Jaderberg et al. 2014,
https://arxiv.org/abs/1405.3866, scheme 2). The best pair of filters is the truncated SVD of the weight as a matrix of
(outputs, columns) by (inputs, rows): Tai et al. 2016, https://arxiv.org/abs/1511.06067.
"""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor, nn


class LowRank(nn.Sequential):
    """``up(down(x))`` in place of a Linear. Its ``weight`` [out, in] is for encoders, whose fast path reads it."""

    @property
    def weight(self) -> Tensor:
        return cast("Tensor", self[1].weight) @ cast("Tensor", self[0].weight)

    @property
    def rank(self) -> int:
        """What the two layers have between them."""
        return len(cast("Tensor", self[0].weight))

    @property
    def parameters_per_step(self) -> int:
        """What one rank more adds: how far the size may move on a machine that rounds otherwise."""
        return sum(cast("Tensor", layer.weight).numel() for layer in self) // self.rank

    @property
    def bias(self) -> Tensor | None:
        return cast("Tensor | None", self[1].bias)


class LowRankConv(LowRank):
    """``up(down(x))`` in place of a Conv2d, whose ``weight`` [out, in, k, k] it stands for."""

    @property
    def weight(self) -> Tensor:
        down, up = (cast("Tensor", layer.weight) for layer in self)
        return torch.einsum("nrj,rci->ncij", up[:, :, 0], down[..., 0])


@torch.no_grad()
def factor(layer: nn.Linear | nn.Conv2d, energy: float, rank: int) -> nn.Module:
    """Two layers of ``rank``, or of the least that keeps the share ``energy``; the layer itself if they are larger."""
    matrix = _matrix(layer)
    u, s, v = torch.linalg.svd(matrix, full_matrices=False)
    kept = rank or 1 + int((s.square().cumsum(0) < energy * s.square().sum()).sum())
    if kept * sum(matrix.shape) >= matrix.numel():
        return layer
    root = s[:kept].sqrt()  # shared evenly: both factors then see gradients of one size
    return _pair(layer, root[:, None] * v[:kept], u[:, :kept] * root)


def _matrix(layer: nn.Linear | nn.Conv2d) -> Tensor:
    """[out, in]; of a convolution [out * columns, in * rows]."""
    if isinstance(layer, nn.Linear):
        return layer.weight
    return layer.weight.permute(0, 3, 1, 2).flatten(2).flatten(0, 1)


def _pair(layer: nn.Linear | nn.Conv2d, below: Tensor, above: Tensor) -> LowRank:
    """``layer`` with the weight ``above @ below`` as two layers; the bias stays the layer's own."""
    if isinstance(layer, nn.Conv2d):
        return _column_and_row(layer, below, above)
    kept = len(below)
    down, up = nn.Linear(layer.in_features, kept, bias=False), nn.Linear(kept, layer.out_features)
    down.weight, up.weight, up.bias = nn.Parameter(below), nn.Parameter(above), layer.bias
    return LowRank(down, up)


def _column_and_row(layer: nn.Conv2d, below: Tensor, above: Tensor) -> LowRankConv:
    kept, (rows, columns) = len(below), layer.kernel_size
    down, up = _along(layer, 0, layer.in_channels, kept), _along(layer, 1, kept, layer.out_channels)
    down.weight = nn.Parameter(below.view(kept, layer.in_channels, rows, 1).contiguous())
    up.weight = nn.Parameter(above.view(layer.out_channels, columns, kept).permute(0, 2, 1)[:, :, None].contiguous())
    up.register_parameter("bias", cast("nn.Parameter | None", layer.bias))
    return LowRankConv(down, up)


def _along(layer: nn.Conv2d, axis: int, inputs: int, outputs: int) -> nn.Conv2d:
    """The part of a convolution's shape along one axis; along the other it looks at single pixels."""

    def part(values: Any, other: int) -> Any:
        return (
            values
            if isinstance(values, str)
            else tuple(v if place == axis else other for place, v in enumerate(values))
        )

    return nn.Conv2d(
        inputs, outputs, part(layer.kernel_size, 1), part(layer.stride, 1), part(layer.padding, 0),
        part(layer.dilation, 1), bias=False, padding_mode=layer.padding_mode,
    )  # fmt: skip
