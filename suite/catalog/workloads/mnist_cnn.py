"""The article's network on the article's data: SimpleCNN, its first Linear repaired, on MNIST.

The data are not part of the suite: without them its cells are unavailable (`suite data mnist`). Of the 60,000 training
images the last 5,000 validate. Mean and deviation are the article's.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import torch

from suite.catalog.datasets import mnist
from suite.catalog.scores import classification
from suite.catalog.workloads.digits_cnn import SimpleCNN, one_cycle, smoothed_cross_entropy
from suite.registry import workload
from suite.training.data import held_out
from suite.training.recipe import Batch, Recipe, Split, Splits

MEAN, DEVIATION = 0.1307, 0.3081  # of pixels in [0, 1]
TWELFTH = 12  # of the training images validates: 5,000
BATCH = 64


def digest() -> str:
    """The published checksums, which the files are held to when they are read."""
    return mnist.DATASET.digest()


@workload(scores=classification(), digest=digest, quick=False, default=False)
def mnist_cnn(_seed: int) -> Recipe:
    """SimpleCNN on MNIST: AdamW, OneCycle, label smoothing, three epochs."""
    return Recipe(
        data=lambda: splits(mnist.DATASET.root()),
        model=SimpleCNN,
        batches=full_batches,
        steps_per_epoch=lambda examples: examples // BATCH,
        schedule=one_cycle,
        loss=smoothed_cross_entropy,
        learning_rate=3e-3,
        epochs=3,
    )


@lru_cache(maxsize=1)
def splits(root: Path) -> Splits:
    """The files below ``root``; inputs [N, 1, 28, 28] standardised.

    Raises `UnavailableError` if they are missing, `SetupError` if they are incomplete or damaged.
    """
    mnist.DATASET.require(root)
    return held_out(_part(root, train=True), _part(root, train=False), TWELFTH)


def _part(root: Path, *, train: bool) -> Split:
    images, targets = mnist.load(root, train=train)
    return Split(inputs=(images[:, None].float() / 255 - MEAN) / DEVIATION, targets=targets)


def full_batches(train: Split, generator: torch.Generator) -> Iterator[Batch]:
    """Shuffled batches of 64; the incomplete last one is dropped."""
    order = torch.randperm(len(train), generator=generator).to(train.inputs.device)
    for chosen in order.split(BATCH):
        if len(chosen) == BATCH:
            yield Batch(inputs=train.inputs[chosen], targets=train.targets[chosen])
