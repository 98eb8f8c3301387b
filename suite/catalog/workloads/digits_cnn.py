"""Handwritten digits and a small convolutional network: quality in seconds on one core.

Data: scikit-learn's copy of the UCI 'Optical Recognition of Handwritten Digits' test set, 1,797 images of 8 x 8,
upsampled to 28 x 28. Five stratified folds: seed k tests on fold k mod 5, validates on the next and trains on the
rest, so that five seeds test every image once. Network: the article's SimpleCNN with its first Linear repaired
(two poolings leave 64 x 5 x 5 = 1,600 values, not 9,216).
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from functools import lru_cache

import torch
import torch.nn.functional as F  # noqa: N812  # torch's own convention
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler, OneCycleLR

from suite.catalog.scores import classification
from suite.registry import workload
from suite.training.recipe import Batch, Recipe, Split, Splits, Trainee
from suite.training.trees import take

FOLDS = 5
PIXELS = 28
BATCH = 32
SHIFT = 2  # pixels of random translation, either way
SMOOTHING = 0.1


class SimpleCNN(nn.Module):
    """Two convolutions, two poolings, two Linear layers: 225,034 parameters at width 1. Inputs [B, 1, 28, 28].

    ``depth`` is a factor on the convolutions before each pooling, rounded up; those beyond the first keep shapes. Of
    other images than 28 x 28 ``pixels`` says the side.
    """

    def __init__(self, width: float = 1.0, depth: float = 1.0, pixels: int = PIXELS) -> None:
        super().__init__()
        first, second, hidden = (max(1, round(width * channels)) for channels in (32, 64, 128))
        self.conv1 = nn.Conv2d(1, first, 3)
        self.conv2 = nn.Conv2d(first, second, 3)
        self.fc1 = nn.Linear(second * (((pixels - 2) // 2 - 2) // 2) ** 2, hidden)
        self.fc2 = nn.Linear(hidden, 10)
        self.more1, self.more2 = (
            nn.ModuleList(nn.Conv2d(channels, channels, 3, padding=1) for _ in range(math.ceil(depth) - 1))
            for channels in (first, second)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Class scores [B, 10]."""
        return self.fc2(self.features(x))  # type: ignore[no-any-return]

    def features(self, x: Tensor) -> Tensor:
        """What the last layer reads, [B, hidden]."""
        x = torch.relu(self.conv1(x))
        for conv in self.more1:
            x = torch.relu(conv(x))
        x = torch.relu(self.conv2(torch.max_pool2d(x, 2)))
        for conv in self.more2:
            x = torch.relu(conv(x))
        x = torch.max_pool2d(x, 2)
        return torch.relu(self.fc1(torch.flatten(x, 1)))


def digest() -> str:
    """Digest of the images and labels as scikit-learn ships them."""
    from sklearn.datasets import load_digits  # seconds to import

    loaded = load_digits()
    raw = loaded.images.astype("uint8").tobytes() + loaded.target.astype("uint8").tobytes()
    return hashlib.sha256(raw).hexdigest()[:16]


@workload(
    scores=classification(),
    target=0.985,
    digest=digest,
    groups={"accelerator": ("quality", "size")},  # ten kernels of some microseconds: their launches would be timed
)
def digits_cnn(seed: int) -> Recipe:
    """SimpleCNN on handwritten digits: AdamW, OneCycle, label smoothing, random shifts."""
    return Recipe(
        data=lambda: splits(seed % FOLDS),
        model=SimpleCNN,
        batches=shifted_batches,
        steps_per_epoch=lambda examples: examples // BATCH,
        schedule=one_cycle,
        loss=smoothed_cross_entropy,
        learning_rate=3e-3,
        epochs=10,
    )


@lru_cache(maxsize=FOLDS)
def splits(fold: int) -> Splits:
    """Test on ``fold``, validate on the next, train on the other three; inputs [N, 1, 28, 28] standardised."""
    images, targets, folds = digits()
    train = torch.cat([folds[(fold + k) % FOLDS] for k in range(2, FOLDS)])
    mean, deviation = images[train].mean(), images[train].std()  # of the training data alone
    scaled = (images - mean) / deviation
    test, validation, training = (
        Split(inputs=scaled[chosen].contiguous(), targets=targets[chosen], ids=chosen)
        for chosen in (folds[fold], folds[(fold + 1) % FOLDS], train)
    )
    return Splits(train=training, validation=validation, test=test)


@lru_cache(maxsize=1)
def digits() -> tuple[Tensor, Tensor, list[Tensor]]:
    """Images [1797, 1, 28, 28] in [0, 1], targets [1797] and the indices of the five stratified folds."""
    from sklearn.datasets import load_digits  # seconds to import
    from sklearn.model_selection import StratifiedKFold

    loaded = load_digits()
    small = torch.tensor(loaded.images, dtype=torch.float32)[:, None] / 16  # stored as counts 0 to 16
    images = F.interpolate(small, size=(PIXELS, PIXELS), mode="bilinear", align_corners=False)
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=0).split(loaded.data, loaded.target)
    return images, torch.tensor(loaded.target), [torch.tensor(test) for _, test in folds]


def shifted_batches(train: Split, generator: torch.Generator) -> Iterator[Batch]:
    """Shuffled full batches, each rolled by up to two pixels; the incomplete last one is dropped."""
    order = torch.randperm(len(train), generator=generator).to(train.inputs.device)
    for chosen in order.split(BATCH):
        if len(chosen) == BATCH:
            down, right = torch.randint(-SHIFT, SHIFT + 1, (2,), generator=generator).tolist()
            rolled = torch.roll(train.inputs[chosen], (down, right), (2, 3))
            yield Batch(inputs=rolled, targets=take(train.targets, chosen))


def one_cycle(optimizer: Optimizer, learning_rate: float, steps: int) -> LRScheduler:
    """OneCycle over all steps (Smith & Topin 2017, https://arxiv.org/abs/1708.07120)."""
    return OneCycleLR(optimizer, learning_rate, total_steps=steps)


def smoothed_cross_entropy(_trainee: Trainee, batch: Batch, output: Tensor) -> Tensor:
    """Cross-entropy against targets smoothed by 0.1."""
    return F.cross_entropy(output, batch.targets, label_smoothing=SMOOTHING)
