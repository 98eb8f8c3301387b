"""Logs of one training under a learning-rate schedule: which points a curve may be drawn through.

Quality improves at once when the learning rate is lowered, so a log with a cooldown is no curve over steps: points in
the middle are worse than trainings that end there. Before the cooldown the rate is constant and the trend carries over.
Sources: Hagele et al., Scaling laws and compute-optimal training beyond fixed training durations, arXiv:2405.18392;
Tissue et al., Scaling law with learning rate annealing, arXiv:2408.11029.
"""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

COOLED = 0.9  # of the highest rate: below, the quality is better than at the rate before
TIME = frozenset("step steps epoch epochs iter iters iteration iterations update updates batch batches".split())
RATE = frozenset("lr learningrate".split())
NO_SCHEDULE = (
    "{x} looks like the time of one training: under a learning-rate schedule with a cooldown its points do not tell what "
    "a longer training brings; give --lr COLUMN, or --annealed if each point is the end of a training of its own"
)


def before_cooldown(resource: Array, rate: Array) -> NDArray[np.bool_]:
    """The points [n] up to the last at which the learning ``rate`` [n] was high: a warm-up belongs to them."""
    high = resource[rate >= COOLED * rate.max()]
    return np.asarray(resource <= high.max())


def cooled(x: str, resource: Array, kept: NDArray[np.bool_]) -> str:
    """What was left out of a log for its learning rate, in a sentence."""
    if kept.all():
        return "the learning rate never fell: the forecast is of training on at this rate; a cooldown would gain more"
    return (
        f"the forecast is of training before the cooldown: the learning rate falls after {x} "
        f"{resource[kept].max():g}, so the {int((~kept).sum())} points from there on are left out"
    )


def is_training_time(name: str) -> bool:
    """Whether a column is the time axis of a log: a step, an epoch, an iteration."""
    return bool(TIME & set(_words(name)))


def is_rate(name: str) -> bool:
    """Whether a column holds the learning rate: ``lr``, ``learning_rate``, ``train/lr``, ``lr-AdamW``."""
    words = _words(name)
    return bool(RATE & {*words, *(a + b for a, b in zip(words, words[1:], strict=False))})


def _words(name: str) -> list[str]:
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name.rpartition(" - ")[2])
    return [word.lower() for word in re.split(r"[^A-Za-z]+", spaced) if word]
