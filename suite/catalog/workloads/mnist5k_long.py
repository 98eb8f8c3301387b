"""Few digits, trained for long: where averaging, early stopping, smoothing and schedules have something to gain.

The baseline of `mnist5k` leaves them little: its schedule ends low and its loss is smoothed. Here the learning rate is
constant and the loss plain cross-entropy. Seed k trains on 200 of the 1,000 digits for forty epochs and validates on
another 200; the 4,000 that test are those of `mnist5k`. Images are shifted here too: without shifts the 200 are known
by heart after some fifteen epochs, and nothing moves any more.
"""

from __future__ import annotations

from torch.optim import Optimizer
from torch.optim.lr_scheduler import ConstantLR, LRScheduler

from suite.catalog.datasets import mnist5k as digits
from suite.catalog.scores import classification
from suite.catalog.workloads.digits_cnn import BATCH, SimpleCNN, shifted_batches
from suite.catalog.workloads.mnist5k import FOLDS, splits
from suite.registry import workload
from suite.training.recipe import Recipe

TECHNIQUES = (
    *("baseline", "ema", "early_stopping", "label_smoothing", "one_cycle", "cosine", "warm_restarts"),
    *("extra_epochs", "narrow", "distillation"),
)


@workload(
    scores=classification(),
    target=0.9,
    techniques=TECHNIQUES,
    digest=digits.digest,
    needs=(digits.PACKAGE,),
    quick=False,
    default=False,
    groups=("quality", "size"),  # the network is that of mnist5k, which is timed there
)
def mnist5k_long(seed: int) -> Recipe:
    """SimpleCNN on 200 MNIST digits, tested on 4,000: AdamW at a constant rate, forty epochs, no smoothing."""
    return Recipe(
        data=lambda: splits(seed % FOLDS, fifths=1),
        model=SimpleCNN,
        batches=shifted_batches,
        steps_per_epoch=lambda examples: examples // BATCH,
        schedule=constant,
        learning_rate=3e-3,
        epochs=40,
    )


def constant(optimizer: Optimizer, _rate: float, _steps: int) -> LRScheduler:
    """The same rate at every step."""
    return ConstantLR(optimizer, factor=1.0, total_iters=0)
