"""Logs of one training under a learning-rate schedule: which points a curve may be drawn through.

Quality improves at once when the learning rate is lowered, so a log with a cooldown is no curve over steps: points in
the middle are worse than trainings that end there. Before the cooldown the rate is constant and the trend carries over.
Sources: Hagele et al., Scaling laws and compute-optimal training beyond fixed training durations, arXiv:2405.18392;
Tissue et al., Scaling law with learning rate annealing, arXiv:2408.11029.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Pair = tuple[Array, Array]
"""Resources and values [m]."""

COOLED = 0.9  # of the highest rate: below, the quality is better than at the rate before
TIME = frozenset(
    [
        "step",
        "steps",
        "epoch",
        "epochs",
        "iter",
        "iters",
        "iteration",
        "iterations",
        "update",
        "updates",
        "batch",
        "batches",
    ]
)
RATE = frozenset(["lr", "learningrate"])
NO_SCHEDULE = (
    "{x} looks like the time of one training: under a learning-rate schedule with a cooldown its points do not tell "
    "what a longer training brings; give --lr COLUMN, or --annealed if each point is the end of a training of its own"
)


def before_cooldown(resource: Array, rate: Array) -> NDArray[np.bool_]:
    """The points [n] up to the last at which the learning ``rate`` [n] was high: a warm-up belongs to them."""
    high = resource[rate >= COOLED * rate.max()]
    return np.asarray(resource <= high.max())


@dataclass(frozen=True, kw_only=True)
class Usable:
    """Points that a curve may be drawn through: ``kept`` [n], whether they are ``annealed``, what is to be said."""

    kept: NDArray[np.bool_]
    annealed: bool
    notes: tuple[str, ...] = ()


def usable(x: str, resource: Array, rate: Pair | None, *, annealed: bool) -> Usable:
    """Which points [n] at the ``resource`` called ``x`` a curve may be drawn through.

    All, if each is the ``annealed`` end of a training of its own, as it is along anything but the time of a training;
    with a learning ``rate``, those before its cooldown.
    """
    every = np.ones(len(resource), dtype=bool)
    if annealed or (rate is None and not is_training_time(x)):
        return Usable(kept=every, annealed=True)
    if rate is None:
        return Usable(kept=every, annealed=False, notes=(NO_SCHEDULE.format(x=x),))
    kept = before_cooldown(resource, at(resource, rate))
    return Usable(kept=kept, annealed=False, notes=(cooled(x, resource, kept),))


def at(resource: Array, pair: Pair) -> Array:
    """Values [n] of a log at ``resource`` [n]: interpolated inside the log's range, the nearest value outside."""
    amounts, place = np.unique(pair[0], return_inverse=True)
    means = np.bincount(place, weights=pair[1]) / np.bincount(place)
    return np.asarray(np.interp(resource, amounts, means))


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
    return bool(RATE & {*words, *(a + b for a, b in pairwise(words))})


def rate_column(names: Iterable[str], taken: Iterable[str]) -> str | None:
    """The first of a table's columns that holds the learning rate, unless it is ``taken`` for something else."""
    return next((name for name in names if is_rate(name) and name not in set(taken)), None)


def _words(name: str) -> list[str]:
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name.rpartition(" - ")[2])
    return [word.lower() for word in re.split(r"[^A-Za-z]+", spaced) if word]
