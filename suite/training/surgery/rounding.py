"""Fine-tuning under quantization: weights on a grid after every step, inputs of layers rounded to 8 bits.

The straight-through estimator (Bengio et al. 2013, https://arxiv.org/abs/1308.3432; Jacob et al. 2018,
https://arxiv.org/abs/1712.05877): the gradient at the rounded weights moves the float ones behind them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from suite.training.surgery import grids
from suite.training.surgery.masks import prunable
from suite.training.trees import Tree, split

LAYERS = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)
STEPS = 255  # of 8 bits
KEPT = 0.99  # of a range at each training batch; the rest is the batch's
OBSERVED_BATCH = 64


class Rounded:
    """A constraint: every matrix and filter lies on its grid whenever the network is called.

    The float weights live here, not in the network. What an optimizer did to a rounded weight is done to the float
    one, which is then rounded anew; the scale follows by least squares.
    """

    rank = 1

    def __init__(self, grid: grids.Grid) -> None:
        self.grid = grid
        self.floats: dict[nn.Parameter, tuple[Tensor, Tensor]] = {}

    @torch.no_grad()
    def begin(self, network: nn.Module) -> None:
        """Go on from an earlier fine-tuning's float weights where they are still shown, else from the weights.

        A zero starts as zero: it may be masked by now, and what is behind it must not come back.
        """
        before, self.floats = self.floats, {}
        for weight in prunable(network):
            grid = self.grid.of(weight.dtype)
            groups = grid.grouped(weight)
            if weight in before and before[weight][0].shape == groups.shape:
                floats, scale = before[weight]
                shown = scale * grids.codes(floats, scale, grid)
                self._put(weight, torch.where((groups == shown) & (shown != 0), floats, groups), scale)
            else:
                self._put(weight, groups, grids.fit(groups, grid))

    @torch.no_grad()
    def restore(self, _network: nn.Module) -> None:
        """Carry the step over to the float weights, and round them again."""
        for weight, (floats, scale) in self.floats.items():
            shown = scale * grids.codes(floats, scale, self.grid)
            moved = floats + (self.grid.grouped(weight) - shown)
            self._put(weight, moved, grids.refit(moved, scale, self.grid.of(weight.dtype)))

    def _put(self, weight: nn.Parameter, floats: Tensor, scale: Tensor) -> None:
        self.floats[weight] = floats, scale
        weight.copy_(self.grid.ungrouped(scale * grids.codes(floats, scale, self.grid), weight.shape))


class RoundedInputs:
    """A constraint: what enters a Linear or convolution is rounded to 8 bits, in training and when served.

    One range for each layer, a running mean over training batches of the least and the greatest value; it is a buffer
    of the layer. Attention reads its weights without calling a layer, so its inputs stay.
    """

    rank = 1

    def begin(self, network: nn.Module) -> None:
        """Make layers round that do not yet."""
        for layer in _layers(network):
            if not hasattr(layer, "input_range"):
                layer.register_buffer("input_range", torch.zeros(2, device=layer.weight.device))
                layer.register_forward_pre_hook(round_inputs)

    def restore(self, network: nn.Module) -> None:
        """Ranges follow by themselves."""


def _layers(network: nn.Module) -> Iterator[Any]:
    return (module for module in network.modules() if isinstance(module, LAYERS))


@torch.no_grad()
def observe(network: nn.Module, inputs: Tree) -> None:
    """Let layers see ``inputs`` (a tree [N, ...]) for their first range; statistics of normalisation stay."""
    network.eval()
    for layer in _layers(network):
        layer.train()
    network(next(split(inputs, OBSERVED_BATCH)))
    network.eval()


def round_inputs(layer: nn.Module, args: tuple[Any, ...]) -> tuple[Any, ...]:
    """A forward pre-hook: the first argument rounded within the layer's range, which follows while training."""
    inputs, *rest = args
    held: Tensor = layer.input_range  # type: ignore[assignment]
    if layer.training:
        with torch.no_grad():
            seen = torch.stack([inputs.amin().clamp(max=0), inputs.amax().clamp(min=0)]).to(held.dtype)
            held.copy_(torch.where(held.any(), KEPT * held + (1 - KEPT) * seen, seen))
    return (rounded(inputs, held), *rest)


def rounded(values: Tensor, held: Tensor) -> Tensor:
    """``values`` at the nearest of 256 steps from held[0] <= 0 to held[1] >= 0; gradients pass where it does not clip.

    Zero is a step, as padding and ReLU need.
    """
    scale = (held[1] - held[0]).clamp(min=torch.finfo(torch.float32).tiny) / STEPS
    zero = (-held[0] / scale).round().int()
    found: Tensor = torch.fake_quantize_per_tensor_affine(values.float(), scale, zero, 0, STEPS)
    return found.to(values.dtype)
