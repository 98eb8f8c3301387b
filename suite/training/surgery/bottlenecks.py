"""Convolutions as blocks with linear bottlenecks (MobileNetV2: Sandler et al. 2018, https://arxiv.org/abs/1801.04381)."""

from __future__ import annotations

from torch import Tensor, nn


class LinearBottleneck(nn.Sequential):
    """[B, C, H, W] to the same shape [B, N, ...] as ``layer`` gives."""

    def __init__(self, layer: nn.Conv2d, *, expansion: int) -> None:
        inputs, bottleneck = layer.in_channels, max(1, layer.out_channels // expansion)
        depthwise = nn.Conv2d(
            inputs, inputs, layer.kernel_size, layer.stride, layer.padding, layer.dilation,  # type: ignore[arg-type]  # stubs: tuples of any length
            groups=inputs, bias=False, padding_mode=layer.padding_mode,
        )  # fmt: skip
        super().__init__(
            depthwise, nn.BatchNorm2d(inputs), nn.ReLU6(), *_pointwise(inputs, bottleneck),
            InvertedResidual(bottleneck, expansion), *_pointwise(bottleneck, layer.out_channels),
        )  # fmt: skip


class InvertedResidual(nn.Module):
    """Bottlenecks [B, b, H, W] widened, filtered channel by channel, and narrowed without a nonlinearity; added."""

    def __init__(self, channels: int, expansion: int) -> None:
        super().__init__()
        hidden = channels * expansion
        widen = [*_pointwise(channels, hidden), nn.ReLU6()] if expansion > 1 else []  # as in the paper
        depthwise = nn.Conv2d(hidden, hidden, 3, padding=1, groups=hidden, bias=False)
        self.path = nn.Sequential(*widen, depthwise, nn.BatchNorm2d(hidden), nn.ReLU6(), *_pointwise(hidden, channels))

    def forward(self, bottlenecks: Tensor) -> Tensor:
        return bottlenecks + self.path(bottlenecks)  # type: ignore[no-any-return]


def _pointwise(inputs: int, outputs: int) -> tuple[nn.Module, nn.Module]:
    return nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs)
