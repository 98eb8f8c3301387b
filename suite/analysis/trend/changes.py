"""Changes of a metric over the runs of a history: the run, the size, the certainty. Pure, and only numpy at import.

Change points are those of the penalised least-squares segmentation (PELT: Killick, Fearnhead and Eckley, JASA 107
(2012); `ruptures`), with twice the penalty of the Bayesian information criterion for one more mean and one more place,
``4 s^2 log n``, as runs are few. ``s`` comes from the differences of neighbouring runs (von Neumann, Annals of
Mathematical Statistics 12 (1941)); a step is one of them and makes it a little too great, never too small.

A segmentation searches all places, so a change that it finds is weak evidence. The greatest standardised difference of
two means over all places is compared with the same maximum in shuffled series. Source: Antoch and Huskova, Permutation
tests in change point analysis, Statistics and Probability Letters 53 (2001). Shuffles are drawn until some are as
great (Besag and Clifford, Sequential Monte Carlo p-values, Biometrika 78 (1991)). A few shuffles are enough for a false
step; a real one gets as many as the number of series requires. The probabilities of all series that vary are adjusted
by Holm's procedure. No shuffle makes a constant series vary, so its exclusion causes no bias.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from suite.core.errors import SetupError
from suite.core.stats.multiplicity import holm

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Values = NDArray[np.float64]

LEAST = 6  # runs; fewer are no series, and ten at least can prove a step
SEGMENT = 2  # runs on either side of a change, at least
SHUFFLES = 4999  # of a series that stays greater than all of them, at least
ENOUGH = 10  # shuffles as great as the series: its probability is then known to a third
FINER = 10  # times below the level that the least probability lies when it is adjusted
CHUNK = 1000  # shuffles at once
TIED = 1 - 1e-9  # sums of the same runs in another order differ by rounding
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
    steps = pairwise(float(values[a:b].mean()) for a, b in pairwise(ends))
    return tuple(Change(at=at, before=one, after=other) for at, (one, other) in zip(ends[1:], steps, strict=False))


def noise_of(values: Values) -> float:
    """The standard deviation of runs about a piecewise constant mean."""
    steps = np.diff(values)
    return float(np.sqrt(np.mean(steps**2) / 2)) if len(steps) else 0.0


def probability(values: Values, *, most: int = SHUFFLES, seed: int = 0) -> float:
    """How often shuffled runs hold a step as great as the greatest one here.

    Shuffles are drawn until `ENOUGH` are as great, and the probability is their share; or until ``most`` were drawn, to
    which this order is then added. Never less than ``1 / (most + 1)``.
    """
    if not _varies(values):
        return 1.0
    great = drawn = 0
    for hits in _as_great(values, most, np.random.default_rng(seed)):
        places = np.flatnonzero(hits)
        if great + len(places) >= ENOUGH:
            return float(ENOUGH / (drawn + 1 + places[ENOUGH - great - 1]))
        great, drawn = great + len(places), drawn + len(hits)
    return (1 + great) / (1 + drawn)


def adjusted(series: Sequence[Values], level: float) -> list[float]:
    """The `probability` of each series, adjusted by `holm` over those that vary; 1 for the others.

    So many shuffles are drawn that any number of series can be told from chance at ``level``.
    """
    varying = [k for k, values in enumerate(series) if _varies(values)]
    most = max(SHUFFLES, math.ceil(FINER * len(varying) / level) - 1)
    found = [1.0] * len(series)
    for k, p in zip(varying, holm([probability(series[k], most=most) for k in varying]), strict=True):
        found[k] = p
    return found


def balance(ups: int, downs: int) -> float:
    """The probability of a split at least as uneven, where better and worse are equally likely (exact binomial)."""
    from scipy.stats import binomtest  # scipy.stats is slow to import

    return float(binomtest(ups, ups + downs).pvalue) if ups + downs else 1.0


def _varies(values: Values) -> bool:
    """Whether the order of the runs can say anything."""
    return len(values) >= LEAST and bool(np.ptp(values) > 0)


def _as_great(values: Values, most: int, rng: np.random.Generator) -> Iterator[NDArray[np.bool_]]:
    """Chunk by chunk, ``most`` in all: which shuffled series hold a step as great as ``values`` [n] do."""
    centred = values - values.mean()  # a small step of a great count is not lost in its sums
    seen = _greatest_step(centred[None])[0] * TIED
    for start in range(0, most, CHUNK):
        rows = np.tile(centred, (min(CHUNK, most - start), 1))
        yield _greatest_step(rng.permuted(rows, axis=1)) >= seen


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
