"""Results of the paired sampler: seconds by arm and round, and the ratios of two arms.

Shapes: ``R`` rounds, ``k`` arms. Times are seconds.
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
    """Median of the ``n`` round-wise ratios; ``low``/``high`` are ``None`` if ``n`` is too small for an interval."""

    value: float
    low: float | None
    high: float | None
    n: int
    confidence: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Sample:
    """The result of `suite.measure.sampler.timing.sample`.

    ``seconds`` [R] per call, ``repeats`` calls a turn, ``faults`` minor page faults a call (empty where they cannot be
    counted), by arm; ``order`` [R, k] holds the arms' positions in ``seconds`` in the order of their turns, ``block``
    [R] the number of the block that each round was taken in.
    ``dropped`` rounds are not among the ``R``: another process had the core during one of their turns.
    ``suspect`` says why the times cannot be trusted. ``confidence`` is that of its intervals; if a sample grew until a
    bound was decided, that of its last look. ``copies`` are the arms that run the baseline. ``note`` describes the
    device during the sample and makes nothing suspect. ``shares`` are the shares of a call's time that an accelerator
    works, by arm; empty on a CPU.
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
        """The raw values for storage: ``seconds_<arm>`` [R], ``order`` [R * k], turn after turn, ``block`` [R].

        ``repeats_<arm>`` [1]: a turn lasted that many times its seconds. ``dropped`` [1] rounds.
        """
        return {
            **{f"seconds_{arm}": values for arm, values in self.seconds.items()},
            "order": self.order.ravel(),
            "block": self.block,
            **{f"repeats_{arm}": np.array([count]) for arm, count in self.repeats.items()},
            "dropped": np.array([self.dropped]),
        }


def ratios_of(
    seconds: Mapping[str, NDArray[np.float64]], numerator: str, denominator: str, copies: tuple[str, ...]
) -> NDArray[np.float64]:
    """``numerator``'s over ``denominator``'s ``seconds`` [R].

    If exactly one of them is among the ``copies``, the geometric mean of the copies replaces it. Two turns of the same
    work in a round give its time with less variance than one, at no cost: the round has both.
    """
    for arm in (numerator, denominator):
        if arm not in seconds:
            raise unknown("arm", arm, seconds)
    both = numerator in copies and denominator in copies

    def of(arm: str) -> NDArray[np.float64]:
        if arm not in copies or both:
            return seconds[arm]
        product: NDArray[np.float64] = np.prod([seconds[copy] for copy in copies], axis=0)
        return product ** (1 / len(copies))

    return of(numerator) / of(denominator)
