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

from suite.core.machine.hardware import device_type

Kind = Literal["convolution", "matmul", "copy"]

WINDOW = 3  # pixels, of a convolution


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


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """How much work a kernel does: ``side`` of two square matrices, a convolution's images, numbers that are copied."""

    side: int
    images: int
    channels: int
    pixels: int
    copied: int

    @property
    def convolved(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Shapes of the images and of the weights."""
        weights = (self.channels, self.channels, WINDOW, WINDOW)
        return (self.images, self.channels, self.pixels, self.pixels), weights


CORE = Sizes(side=320, images=16, channels=16, pixels=32, copied=4 << 20)
"""Of a CPU: about a millisecond of one core (33 and 38 million multiply-accumulates), a copy beyond its caches."""
ACCELERATOR = Sizes(side=4096, images=256, channels=64, pixels=56, copied=1 << 26)
"""Of an accelerator: 137 and 59 GFLOP, a copy beyond its caches (H200: 60 MB); launching takes a hundredth of that."""


def sizes_on(device: str) -> Sizes:
    """How large the kernels are that a device is timed with."""
    return CORE if device_type(device) == "cpu" else ACCELERATOR


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
        made, sizes = torch.Generator().manual_seed(0), sizes_on(self.device)

        def operand(*shape: int) -> torch.Tensor:
            return torch.randn(*shape, generator=made).to(self.device)

        if self.kind == "convolution":
            images, weights = sizes.convolved
            return Product(function=_convolved, operands=(operand(*images), operand(*weights)))
        if self.kind == "copy":
            return Product(function=_copied, operands=(operand(sizes.copied), operand(sizes.copied)))
        matrix = (sizes.side, sizes.side)
        return Product(function=torch.matmul, operands=(operand(*matrix), operand(*matrix)))
