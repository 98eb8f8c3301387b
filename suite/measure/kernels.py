"""Reference kernels: fixed work that no network or technique has a part in, to time a baseline against.

A slowdown that hits technique and baseline alike leaves every speed-up as it was. Against a kernel it shows: the
machine's own speed cancels, the network's does not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor, nn

Kind = Literal["convolution", "matmul", "copy"]

SIDE = 320  # of two square matrices: 33 million multiply-accumulates, about a millisecond of one core
IMAGES, CHANNELS, PIXELS, WINDOW = 16, 16, 32, 3  # 38 million
COPIED = 4 << 20  # numbers of 4 bytes, from one place to another: beyond the caches of one core

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
LOOKED_UP = (nn.Embedding, nn.EmbeddingBag)  # their weights are read and multiplied by nothing
MATRIX = 2  # dimensions


def kind_of(network: nn.Module) -> Kind:
    """What the network's work is like: convolutions where it has any, else products of matrices.

    One without a matrix to multiply by (lookups, normalisation, sums) moves memory.
    """
    modules = list(network.modules())
    if any(isinstance(module, CONVOLUTIONS) for module in modules):
        return "convolution"
    multiplying = (module for module in modules if not isinstance(module, LOOKED_UP))
    weights = (weight for module in multiplying for weight in module.parameters(recurse=False))
    return "matmul" if any(weight.dim() >= MATRIX for weight in weights) else "copy"


@dataclass(frozen=True, kw_only=True, eq=False)
class Product:
    """Two operands and what is done with them at each call."""

    function: Callable[[Tensor, Tensor], Tensor]
    operands: tuple[Tensor, Tensor]

    def __call__(self) -> Tensor:
        """The result, which nobody needs."""
        with torch.inference_mode():
            return self.function(*self.operands)

    def tensors(self) -> tuple[Tensor, Tensor]:
        """What can be moved to other places."""
        return self.operands


def _convolved(images: Tensor, weights: Tensor) -> Tensor:
    return nn.functional.conv2d(images, weights, padding="same")


def _copied(source: Tensor, target: Tensor) -> Tensor:
    return target.copy_(source)


@dataclass(frozen=True, kw_only=True)
class Kernel:
    """One kernel on ``device``, in float32 under the run's own settings; its work depends on no batch."""

    kind: Kind
    device: str
    flags: Mapping[str, int | str] = field(default_factory=dict)

    def call(self, _batch: int) -> Product:
        """The kernel on operands that are placed now."""
        made = torch.Generator().manual_seed(0)

        def operand(*shape: int) -> torch.Tensor:
            return torch.randn(*shape, generator=made).to(self.device)

        if self.kind == "convolution":
            images, weights = operand(IMAGES, CHANNELS, PIXELS, PIXELS), operand(CHANNELS, CHANNELS, WINDOW, WINDOW)
            return Product(function=_convolved, operands=(images, weights))
        if self.kind == "copy":
            return Product(function=_copied, operands=(operand(COPIED), operand(COPIED)))
        return Product(function=torch.matmul, operands=(operand(SIDE, SIDE), operand(SIDE, SIDE)))
