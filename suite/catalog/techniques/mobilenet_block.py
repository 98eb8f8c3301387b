"""MobileNetV2: a filter for each channel, a linear bottleneck, and an inverted residual block between bottlenecks.

Sandler et al. 2018, https://arxiv.org/abs/1801.04381, in the paper's order of layers. A k x k convolution with C inputs
and N outputs becomes a depthwise filter, a projection to ``b = N / expansion`` channels, an inverted residual block on
these, and a 1x1 convolution back to N channels. So the network's own activation follows the widening, and nothing but
its norm follows a projection: bottlenecks are linear. Instead of C N k^2 weights, and products at each place, there are
``C k^2 + C b + expansion b (2 b + 9) + b N``. A layer that would not get smaller stays, as the first convolution does.
Inputs, outputs and training stay; time falls by less than arithmetic does, as depthwise kernels are bound by memory.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from torch import nn

from suite.core.errors import UnavailableError, UsageError
from suite.registry import technique
from suite.training.recipe import Recipe
from suite.training.surgery.bottlenecks import LinearBottleneck
from suite.training.surgery.rebuilding import rebuilt, with_convolutions


@technique(slots=("model",), sweep={"expansion": (2, 3, 6)}, family="structure", quick=False)
def mobilenet_block(recipe: Recipe, *, expansion: int = 6) -> Recipe:
    """Replace every convolution larger than 1x1, but for the first one, by blocks with linear bottlenecks."""
    if expansion < 1:
        raise UsageError(f"mobilenet_block: expansion must be a whole number from 1 on, got {expansion!r}; 6 is usual")
    return replace(recipe, model=rebuilt(recipe.model, partial(_with_blocks, expansion=expansion)))


def _with_blocks(network: nn.Module, *, expansion: int) -> nn.Module:
    changed = with_convolutions(network, change=partial(_smaller, expansion=expansion), technique="mobilenet_block")
    if not any(isinstance(module, LinearBottleneck) for module in changed.modules()):
        raise UnavailableError(
            f"mobilenet_block: no convolution gets smaller as a block of expansion {expansion}: all have few channels"
        )
    return changed


def _smaller(layer: nn.Conv2d, *, expansion: int) -> nn.Module:
    block = LinearBottleneck(layer, expansion=expansion)
    return block if _weights(block) < _weights(layer) else layer


def _weights(module: nn.Module) -> int:
    return sum(weight.numel() for weight in module.parameters())
