"""From a trained network to what answers requests: quantize, deploy, call."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from suite.phases import phase
from suite.training.devices import autocast, place
from suite.training.loop import Trained
from suite.training.recipe import Recipe

CALIBRATION = 512  # training inputs that quantizers observe


@dataclass(frozen=True, kw_only=True)
class Served:
    """A network as it is served. Calling it takes inputs [B, ...] that `prepare_inputs` laid out."""

    recipe: Recipe
    network: nn.Module
    device: str
    call: Callable[[Tensor], Tensor]

    def __call__(self, inputs: Tensor) -> Tensor:
        """Outputs [B, K] under the recipe's precision, without gradients.

        ``no_grad`` for all sides alike: TorchInductor cannot prepack int8 convolutions under ``inference_mode``.
        """
        with torch.no_grad(), autocast(self.recipe.precision, self.device):
            return self.call(inputs)

    def prepare_inputs(self, inputs: Tensor) -> Tensor:
        """``inputs`` [B, ...] on the device, contiguous or channels_last as the recipe says, strides forced."""
        plain = torch.empty(inputs.shape, dtype=inputs.dtype, device=self.device)
        return place(plain.copy_(inputs), self.recipe.layout)


def serve(trained: Trained) -> Served:
    """Quantize and deploy a copy of the trained network. Lazy compilation happens at the first calls."""
    recipe = trained.recipe
    network = copy.deepcopy(trained.network).eval()
    with phase("compiling"):
        network = recipe.quantize(network, calibration_inputs(recipe).to(trained.device))
        call = recipe.deploy(network)
    return Served(recipe=recipe, network=network, device=trained.device, call=call)


def calibration_inputs(recipe: Recipe) -> Tensor:
    """Training inputs [<= CALIBRATION, ...] that a quantizer may look at."""
    return recipe.data().train.inputs[:CALIBRATION]


def warm_up(served: Served, inputs: Tensor) -> None:
    """Compile for the shape of ``inputs``; three calls, since compilers specialise on the second."""
    with phase("compiling"):
        for _ in range(3):
            served(inputs)


def predict(served: Served, inputs: Tensor, *, batch: int) -> Tensor:
    """Outputs [N, K] on the CPU, computed in batches of exactly ``batch``.

    The last batch is filled up with repeated images: a new shape would make a compiler start again.
    """
    chunks = [fill_up(chunk, batch) for chunk in inputs.split(batch)]
    outputs = [served(served.prepare_inputs(chunk)).float().cpu() for chunk in chunks]
    return torch.cat(outputs)[: len(inputs)]


def fill_up(inputs: Tensor, size: int) -> Tensor:
    """``inputs`` [n, ...] repeated up to exactly [size, ...]."""
    repeats = -(-size // len(inputs))
    return inputs.repeat(repeats, *([1] * (inputs.dim() - 1)))[:size]
