"""Which rank of several is slow, and by how much: each rank's own part of a step, without waiting for the others.

Ranks of one training end each step together, so that the times of their steps say nothing of who waited for whom. A
rank's own part is therefore timed with no collective in it, while all ranks do theirs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from suite.core.errors import UsageError

SLOW = 1.25  # times the median of the other ranks' own parts, from which a rank is named


@dataclass(frozen=True, kw_only=True)
class Straggler:
    """The ``rank`` of ``world`` whose own part of a step takes longest.

    ``seconds`` is how long, ``others`` the median of the other ranks, ``step`` what the whole step takes all of them.
    """

    rank: int
    world: int
    seconds: float
    others: float
    step: float

    @property
    def factor(self) -> float:
        """How many times as long as the others' it takes."""
        return self.seconds / self.others

    @property
    def waited(self) -> float:
        """The share of a step that the others wait for this rank: at least 0, at most 1."""
        return min(1.0, max(0.0, (self.seconds - self.others) / self.step))

    @property
    def is_slow(self) -> bool:
        """Whether it takes `SLOW` times as long as the others, or longer."""
        return self.factor >= SLOW

    def __str__(self) -> str:
        return (
            f"rank {self.rank} of {self.world} is slow: its own part of a step takes {1e3 * self.seconds:.3g} ms, "
            f"{self.factor:.2g} times the {1e3 * self.others:.3g} ms of the others, which wait for it in "
            f"{self.waited:.0%} of a step; look at its core, its clock and what else runs there"
        )


def slowest(own: Sequence[float], step: float) -> Straggler:
    """The slowest rank by the seconds of each rank's own part, and those of a whole step.

    Raises `UsageError` for fewer than two ranks: there is nobody to wait.
    """
    if len(own) < 2:  # noqa: PLR2004
        raise UsageError(f"a slow rank is slow against others: give the times of two ranks or more, got {len(own)}")
    rank = max(range(len(own)), key=lambda index: own[index])
    others = median(seconds for index, seconds in enumerate(own) if index != rank)
    return Straggler(rank=rank, world=len(own), seconds=own[rank], others=others, step=step)


def imbalance(own: Sequence[float]) -> float:
    """The slowest rank's own part as a share of the mean of all, minus 1: 0 if all are alike."""
    return max(own) * len(own) / sum(own) - 1
