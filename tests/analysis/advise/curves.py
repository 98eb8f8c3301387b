"""Learning curves of known shape."""

import numpy as np

from suite.analysis.advise.curve import LearningCurve

SIZES = 10.0 * 2.0 ** np.arange(9)


def curve(quality, *, sizes=SIZES, train=None, **options):
    train = None if train is None else np.asarray(train, dtype=float)
    quality = np.asarray(quality, dtype=float)
    if options.get("kind") != "loss":
        options.setdefault("better", "higher")
    return LearningCurve(source="a", resource=sizes[: len(quality)], quality=quality, train=train, **options)


def noisy(amount, seed=0):
    return amount * np.random.default_rng(seed).normal(size=len(SIZES))


RISING = 0.9 - 0.6 * SIZES**-0.12 + noisy(0.001)
FLAT = 0.9 - 0.4 * np.exp(-SIZES / 100) + noisy(0.0005)
FALLING = np.concatenate([np.linspace(0.5, 0.9, 6), [0.8, 0.7, 0.6]])
ERRATIC = np.linspace(0.55, 0.8, 9) + noisy(0.05, seed=3)
