"""What the paired sampler found: seconds by side and round, and the ratios of two sides.

Shapes: ``R`` rounds, ``k`` sides. Times are seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from suite.core.errors import SuiteError, unknown
from suite.core.stats.intervals import blocked_interval, min_rounds

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class Ratio:
    """Median of the ``n`` round-wise ratios; ``low``/``high`` are ``None`` where ``n`` holds no interval."""

    value: float
    low: float | None
    high: float | None
    n: int
    confidence: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Sample:
    """What `suite.measure.sampler.timing.sample` measured.

    ``seconds`` [R] per call, ``repeats`` calls a turn, ``faults`` minor page faults a call (empty where they cannot be
    counted), by side; ``order`` [R, k] holds the sides' positions in ``seconds`` in the order of their turns, ``block``
    [R] the number of the block that each round was taken in.
    ``dropped`` rounds are not among the ``R``: another process had the core during one of their turns.
    ``suspect`` says why the times cannot be trusted. ``confidence`` is that of its intervals: where a sample grew until
    something was decided, that of its last look. ``copies`` are the sides that are one thing, the baseline. ``note`` is
    what a reader should know of the device meanwhile, and makes nothing suspect. ``shares`` are the shares of a call's
    time that an accelerator works, by side; empty on a CPU.
    """

    seconds: Mapping[str, NDArray[np.float64]]
    repeats: Mapping[str, int]
    faults: Mapping[str, float]
    order: NDArray[np.int64]
    block: NDArray[np.int64]
    rounds: int
    elapsed: float
    dropped: int = 0
    suspect: str | None = None
    confidence: float = 0.99
    copies: tuple[str, ...] = ()
    note: str | None = None
    shares: Mapping[str, float] = field(default_factory=dict)

    def ratio(self, numerator: str, denominator: str, confidence: float | None = None) -> Ratio:
        """``numerator``'s over ``denominator``'s time, round by round: a speed-up if the numerator is the baseline."""
        confidence = self.confidence if confidence is None else confidence
        ratios = ratios_of(self.seconds, numerator, denominator, self.copies)
        if self.rounds == 0:
            raise SuiteError(f"no round of {numerator!r} and {denominator!r} could be timed: {self.suspect}")
        enough = self.rounds >= min_rounds(confidence)
        low, high = blocked_interval(ratios, self.block, confidence) if enough else (None, None)
        return Ratio(value=float(np.median(ratios)), low=low, high=high, n=self.rounds, confidence=confidence)

    def columns(self) -> dict[str, NDArray[np.float64] | NDArray[np.int64]]:
        """The raw figures for storage: ``seconds_<side>`` [R], ``order`` [R * k], turn after turn, ``block`` [R].

        ``repeats_<side>`` [1]: a turn lasted that many times its seconds. ``dropped`` [1] rounds.
        """
        return {
            **{f"seconds_{side}": values for side, values in self.seconds.items()},
            "order": self.order.ravel(),
            "block": self.block,
            **{f"repeats_{side}": np.array([count]) for side, count in self.repeats.items()},
            "dropped": np.array([self.dropped]),
        }


def ratios_of(
    seconds: Mapping[str, NDArray[np.float64]], numerator: str, denominator: str, copies: tuple[str, ...]
) -> NDArray[np.float64]:
    """``numerator``'s over ``denominator``'s ``seconds`` [R].

    Where one of them is one of the ``copies`` and the other is not, the geometric mean of the copies stands for it: two
    turns of the same work in a round know its time better than one, and cost nothing, since the round has both.
    """
    for side in (numerator, denominator):
        if side not in seconds:
            raise unknown("side", side, seconds)
    both = numerator in copies and denominator in copies

    def of(side: str) -> NDArray[np.float64]:
        if side not in copies or both:
            return seconds[side]
        product: NDArray[np.float64] = np.prod([seconds[copy] for copy in copies], axis=0)
        return product ** (1 / len(copies))

    return of(numerator) / of(denominator)
