"""When to stop by the losses of the epochs so far (Prechelt 1998, https://doi.org/10.1007/3-540-49430-8_3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

Criterion = Callable[[Sequence[float], int, float], bool]
"""Whether to stop, of the losses [k >= 1] after each epoch, the patience in epochs and the threshold in percent."""


def patience_is_over(losses: Sequence[float], patience: int, _threshold: float) -> bool:
    """The best loss is ``patience`` epochs old."""
    return len(losses) - 1 - best(losses) >= patience


def generalization_lost(losses: Sequence[float], _patience: int, threshold: float) -> bool:
    """GL: the loss lies more than ``threshold`` percent above the best one."""
    return 100 * (losses[-1] - min(losses)) > threshold * abs(min(losses))


def rose_throughout(losses: Sequence[float], patience: int, _threshold: float) -> bool:
    """UP, with strips of one epoch: the loss rose in each of the last ``patience`` epochs."""
    last = losses[-patience - 1 :]
    return len(last) > patience and all(after > before for before, after in pairwise(last))


def best(losses: Sequence[float]) -> int:
    """The place of the lowest loss, the earliest of equals."""
    return min(range(len(losses)), key=losses.__getitem__)


CRITERIA: Mapping[str, Criterion] = {
    "patience": patience_is_over,
    "GL": generalization_lost,
    "UP": rose_throughout,
}
