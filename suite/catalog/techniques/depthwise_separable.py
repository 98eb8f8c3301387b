"""Depthwise-separable convolutions: a filter for each channel, then a 1x1 convolution that mixes channels.

MobileNet, Howard et al. 2017, https://arxiv.org/abs/1704.04861; batch norm after each and ReLU between the two, as
there; the activation after the second is the network's own. The first convolution stays whole. A k x k layer with N
outputs keeps about 1 / N + 1 / k^2 of its multiply-accumulates and weights. Inputs, outputs and training stay; time
falls by less than arithmetic does, as depthwise kernels are bound by memory.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from torch import nn

from suite.registry import technique
from suite.training.recipe import Recipe
from suite.training.surgery.rebuilding import rebuilt, with_convolutions


@technique(slots=("model",), family="structure", quick=False)
def depthwise_separable(recipe: Recipe) -> Recipe:
    """Replace every convolution larger than 1x1, but for the first one, by a depthwise and a pointwise one."""
    change = partial(with_convolutions, change=_pair, technique="depthwise_separable")
    return replace(recipe, model=rebuilt(recipe.model, change))


def _pair(layer: nn.Conv2d) -> nn.Sequential:
    """[B, in, H, W] to the same shape as ``layer`` gives; without a bias, as each part's norm shifts."""
    channels = layer.in_channels
    depthwise = nn.Conv2d(
        channels, channels, layer.kernel_size, layer.stride, layer.padding, layer.dilation,  # type: ignore[arg-type]  # stubs: tuples of any length
        groups=channels, bias=False, padding_mode=layer.padding_mode,
    )  # fmt: skip
    pointwise = nn.Conv2d(channels, layer.out_channels, 1, bias=False)
    return nn.Sequential(
        depthwise, nn.BatchNorm2d(channels), nn.ReLU(inplace=True), pointwise, nn.BatchNorm2d(layer.out_channels)
    )
