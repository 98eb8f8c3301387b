"""A small residual network on CIFAR-10: colour images, batch normalisation, augmentation; more work than digits.

He et al. 2016, https://arxiv.org/abs/1512.03385: the paper's CIFAR network with one block a stage, twice as wide.
Trained with Nesterov momentum along OneCycle (Smith & Topin 2017, https://arxiv.org/abs/1708.07120), label smoothing,
random crops and mirror images. The data are not part of the suite: without them its cells are unavailable
(`suite data cifar10`). Of the 50,000 training images the last 5,000 validate.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path

import torch
import torch.nn.functional as F  # noqa: N812  # torch's own convention
from torch import Tensor, nn
from torch.optim import SGD, Optimizer

from suite.catalog.datasets import cifar10
from suite.catalog.scores import classification
from suite.catalog.workloads.digits_cnn import one_cycle, smoothed_cross_entropy
from suite.registry import workload
from suite.training.data import held_out
from suite.training.recipe import Batch, Recipe, Split, Splits

MEAN, DEVIATION = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)  # of the training pixels in [0, 1], by channel
TENTH = 10  # of the training images validates: 5,000
BATCH = 128
PADDING = 4  # pixels that a crop may move, either way
CHANNELS = 32
STAGES = (1, 2, 4)  # factors on the channels; each stage after the first halves the image


class Block(nn.Module):
    """Two 3 x 3 convolutions, added to what they read. Inputs [B, C, H, W]."""

    def __init__(self, channels_in: int, channels_out: int, stride: int) -> None:
        super().__init__()
        self.conv1, self.norm1 = _convolution(channels_in, channels_out, 3, stride), nn.BatchNorm2d(channels_out)
        self.conv2, self.norm2 = _convolution(channels_out, channels_out, 3, 1), nn.BatchNorm2d(channels_out)
        same = channels_in == channels_out
        self.shortcut = nn.Identity() if same else _convolution(channels_in, channels_out, 1, stride)

    def forward(self, x: Tensor) -> Tensor:
        """Channels [B, C', H / stride, W / stride]."""
        inner = self.norm2(self.conv2(torch.relu(self.norm1(self.conv1(x)))))
        return torch.relu(inner + self.shortcut(x))


class SmallResNet(nn.Module):
    """Eight layers deep, 308,266 parameters at width 1. Inputs [B, 3, 32, 32]."""

    def __init__(self, width: float = 1.0) -> None:
        super().__init__()
        first, *_ = channels = [max(1, round(width * CHANNELS * factor)) for factor in STAGES]
        self.stem, self.norm = _convolution(3, first, 3, 1), nn.BatchNorm2d(first)
        pairs = zip([first, *channels], channels, (1, 2, 2), strict=False)
        self.stages = nn.Sequential(*(Block(*pair) for pair in pairs))
        self.head = nn.Linear(channels[-1], 10)

    def forward(self, x: Tensor) -> Tensor:
        """Class scores [B, 10]."""
        x = self.stages(torch.relu(self.norm(self.stem(x))))
        return self.head(x.mean((2, 3)))  # type: ignore[no-any-return]


def _convolution(channels_in: int, channels_out: int, size: int, stride: int) -> nn.Conv2d:
    return nn.Conv2d(channels_in, channels_out, size, stride, padding=size // 2, bias=False)


def digest() -> str:
    """The published checksums, which the files are held to when they are read."""
    return cifar10.DATASET.digest()


@workload(scores=classification(), digest=digest, quick=False, default=False, batch={"cpu": 64, "accelerator": 256})
def cifar_resnet(_seed: int) -> Recipe:
    """A small residual network on CIFAR-10: Nesterov momentum, OneCycle, crops and mirror images, ten epochs."""
    return Recipe(
        data=lambda: splits(cifar10.DATASET.root()),
        model=SmallResNet,
        batches=augmented_batches,
        steps_per_epoch=lambda examples: examples // BATCH,
        optimizer=nesterov,
        schedule=one_cycle,
        loss=smoothed_cross_entropy,
        learning_rate=0.2,
        epochs=10,
    )


@lru_cache(maxsize=1)
def splits(root: Path) -> Splits:
    """The files below ``root``; inputs [N, 3, 32, 32] standardised channel by channel.

    Raises `UnavailableError` if they are missing, `SetupError` if they are incomplete or damaged.
    """
    cifar10.DATASET.require(root)
    return held_out(_part(root, train=True), _part(root, train=False), TENTH)


def _part(root: Path, *, train: bool) -> Split:
    images, targets = cifar10.load(root, train=train)
    mean, deviation = (torch.tensor(values)[:, None, None] for values in (MEAN, DEVIATION))
    return Split(inputs=(images.float() / 255 - mean) / deviation, targets=targets)


def augmented_batches(train: Split, generator: torch.Generator) -> Iterator[Batch]:
    """Shuffled batches of 128, every image cropped and mirrored by itself; the incomplete last one is dropped."""
    order = torch.randperm(len(train), generator=generator).to(train.inputs.device)
    for chosen in order.split(BATCH):
        if len(chosen) == BATCH:
            yield Batch(inputs=augmented(train.inputs[chosen], generator), targets=train.targets[chosen])


def augmented(images: Tensor, generator: torch.Generator) -> Tensor:
    """Each of ``images`` [B, C, H, W] moved by up to four pixels, zeros moving in, and mirrored or not."""
    count, channels, height, width = images.shape
    device = images.device
    moves = torch.randint(2 * PADDING + 1, (2, count, 1), generator=generator)
    mirrored = torch.randint(2, (count, 1), generator=generator, dtype=torch.bool)
    down, right = moves[0] + torch.arange(height), moves[1] + torch.arange(width)
    right = torch.where(mirrored, right.flip(1), right)
    items, planes = torch.arange(count, device=device), torch.arange(channels, device=device)
    rows, columns = down.to(device)[:, None, :, None], right.to(device)[:, None, None, :]
    return F.pad(images, [PADDING] * 4)[items[:, None, None, None], planes[None, :, None, None], rows, columns]


def nesterov(parameters: Iterable[nn.Parameter], learning_rate: float) -> Optimizer:
    """SGD with Nesterov momentum and weight decay, as residual networks are trained."""
    return SGD(parameters, lr=learning_rate, momentum=0.9, nesterov=True, weight_decay=5e-4)
