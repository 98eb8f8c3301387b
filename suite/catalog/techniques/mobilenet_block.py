"""Inverted residual blocks: widen with a 1x1 convolution, filter each channel, narrow without a nonlinearity.

MobileNetV2, Sandler et al. 2018, https://arxiv.org/abs/1801.04381; the input is added where it has the output's shape,
the first convolution stays whole. A k x k layer with C inputs and N outputs becomes t C (C + k^2 + N) weights for an
expansion t: fewer than C N k^2 where t is small or k and N are large. Inputs, outputs and training stay; time falls by
less than arithmetic does, as depthwise kernels are bound by memory.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from torch import Tensor, nn

from suite.core.errors import UsageError
from suite.registry import technique
from suite.training.recipe import Recipe
from suite.training.surgery.rebuilding import rebuilt, with_convolutions


@technique(slots=("model",), sweep={"expansion": (1, 3, 6)}, family="structure", quick=False)
def mobilenet_block(recipe: Recipe, *, expansion: int = 6) -> Recipe:
    """Replace every convolution larger than 1x1, but for the first one, by an inverted residual block."""
    if expansion < 1:
        raise UsageError(f"mobilenet_block: expansion must be a whole number from 1 on, got {expansion!r}; 6 is usual")
    change = partial(with_convolutions, change=partial(_Block, expansion=expansion), technique="mobilenet_block")
    return replace(recipe, model=rebuilt(recipe.model, change))


class _Block(nn.Module):
    """[B, in, H, W] to the same shape as ``layer`` gives; without widening where ``expansion`` is 1, as there."""

    def __init__(self, layer: nn.Conv2d, *, expansion: int) -> None:
        super().__init__()
        inputs, hidden = layer.in_channels, layer.in_channels * expansion
        widen = [nn.Conv2d(inputs, hidden, 1, bias=False), nn.BatchNorm2d(hidden), nn.ReLU6()] if expansion > 1 else []
        depthwise = nn.Conv2d(
            hidden, hidden, layer.kernel_size, layer.stride, layer.padding, layer.dilation,  # type: ignore[arg-type]  # stubs: tuples of any length
            groups=hidden, bias=False, padding_mode=layer.padding_mode,
        )  # fmt: skip
        narrow = nn.Conv2d(hidden, layer.out_channels, 1, bias=False)
        self.path = nn.Sequential(
            *widen, depthwise, nn.BatchNorm2d(hidden), nn.ReLU6(), narrow, nn.BatchNorm2d(layer.out_channels)
        )

    def forward(self, images: Tensor) -> Tensor:
        found: Tensor = self.path(images)
        return images + found if found.shape == images.shape else found
