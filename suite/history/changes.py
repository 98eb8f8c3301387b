"""Where a metric changed over the runs of a history, how much, and how sure that is; pure, and only numpy at import.

Change points are those of the penalised least-squares segmentation (PELT: Killick, Fearnhead and Eckley, JASA 107
(2012); `ruptures`), with twice the penalty of the Bayesian information criterion for one more mean and one more place,
``4 s^2 log n``, as runs are few. ``s`` comes from the differences of neighbouring runs (von Neumann, Annals of
Mathematical Statistics 12 (1941)); a step is one of them and makes it a little too great, never too small.

That a segmentation found something says little: it looked everywhere. So the greatest standardised difference of two
means over all places is held against the same maximum in shuffled series (Antoch and Huskova, Permutation tests in
change point analysis, Statistics and Probability Letters 53 (2001)); over the series of a report the probabilities are
adjusted by Holm's procedure.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from suite.errors import SetupError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Values = NDArray[np.float64]

LEAST = 6  # runs; with fewer no shuffling is rare enough to prove anything
SEGMENT = 2  # runs on either side of a change, at least
SHUFFLES = 4999
MISSING = "suite trend needs ruptures; install it with: pip install 'tradeoff-suite[history]'"


@dataclass(frozen=True, kw_only=True)
class Change:
    """The series' mean moves from ``before`` to ``after`` at the run number ``at`` (from 0)."""

    at: int
    before: float
    after: float

    @property
    def relative(self) -> float:
        """The change as a share of what was before."""
        return self.after / self.before - 1 if self.before else math.inf


def changes(values: Values) -> tuple[Change, ...]:
    """The change points of ``values`` [n]; none below `LEAST` runs or where nothing varies.

    Raises `SetupError` where ruptures is not installed.
    """
    if len(values) < LEAST:
        return ()
    sigma = noise_of(values)
    if sigma == 0:
        return ()
    ends = [0, *_segments(values / sigma, 4 * math.log(len(values)))]
    means = [float(values[a:b].mean()) for a, b in pairwise(ends)]
    return tuple(
        Change(at=at, before=before, after=after) for at, before, after in zip(ends[1:], means, means[1:], strict=False)
    )


def noise_of(values: Values) -> float:
    """The standard deviation of runs about a piecewise constant mean."""
    steps = np.diff(values)
    return float(np.sqrt(np.mean(steps**2) / 2)) if len(steps) else 0.0


def probability(values: Values, *, seed: int = 0) -> float:
    """How often shuffled runs hold a step as great as the greatest one here, this order counted in."""
    if len(values) < LEAST or np.ptp(values) == 0:
        return 1.0
    rng = np.random.default_rng(seed)
    shuffled = rng.permuted(np.tile(values, (SHUFFLES, 1)), axis=1)
    seen = _greatest_step(values[None])[0]
    return float((1 + np.count_nonzero(_greatest_step(shuffled) >= seen * (1 - 1e-12))) / (SHUFFLES + 1))


def holm(probabilities: Sequence[float]) -> list[float]:
    """Adjusted so that one that is at most ``a`` is a false alarm in at most a share ``a`` of all reports.

    Holm, A simple sequentially rejective multiple test procedure, Scandinavian Journal of Statistics 6 (1979).
    """
    order = np.argsort(probabilities, kind="stable")
    adjusted, least = [0.0] * len(probabilities), 0.0
    for rank, index in enumerate(order):
        least = max(least, min(1.0, (len(probabilities) - rank) * probabilities[index]))
        adjusted[int(index)] = least
    return adjusted


def balance(ups: int, downs: int) -> float:
    """The probability of a split at least as uneven, where better and worse are equally likely (exact binomial)."""
    n, k = ups + downs, min(ups, downs)
    return float(min(1.0, 2 * sum(math.comb(n, i) for i in range(k + 1)) / 2.0**n))


def _segments(values: Values, penalty: float) -> list[int]:
    """The ends of the segments, the last being n."""
    try:
        import ruptures
    except ImportError:
        raise SetupError(MISSING) from None
    found = ruptures.Pelt(model="l2", min_size=SEGMENT, jump=1).fit(values.reshape(-1, 1)).predict(pen=penalty)
    return [int(end) for end in found]


def _greatest_step(series: Values) -> Values:
    """For each row [n] the greatest difference of means before and after a place, in units of its standard error."""
    n = series.shape[1]
    sums = np.cumsum(series, axis=1)[:, :-1]
    left = np.arange(1, n)
    total = series.sum(axis=1, keepdims=True)
    gap = np.abs(sums / left - (total - sums) / (n - left))
    weighed = gap * np.sqrt(left * (n - left) / n)
    return np.asarray(weighed[:, SEGMENT - 1 : n - SEGMENT].max(axis=1), dtype=np.float64)
