"""Confidence intervals: of a median, a mean, a proportion, and the difference of two paired proportions.

All are two-sided, ``(low, high)``, at a ``confidence`` strictly between 0 and 1; anything else is a `ValueError`.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Values = Sequence[float] | NDArray[np.float64]

LEAST_FOR_MEAN = 2
TRIMMED = 0.1  # at each end
LEAST_BLOCKS = 6  # Student's t of fewer is too wide to be useful


def min_rounds(confidence: float) -> int:
    """The least sample size whose whole range is a confidence interval of the median: 8 at 99 %.

    All ``n`` values are on one side of the median with probability ``2 * 0.5**n``.
    """
    return 1 + math.ceil(-math.log2(_miss(confidence)))


def median_interval(values: Values, confidence: float) -> tuple[float, float]:
    """Distribution-free interval of the median of ``values`` [n], from two order statistics.

    The number of values below the median is binomial(n, 1/2), so ``(x_(r), x_(n - r + 1))`` covers the median with
    probability ``1 - 2 P(B < r)``; ``r`` is the largest rank that keeps this at least ``confidence``. Source: David
    and Nagaraja, Order Statistics, 3rd edition, section 7.1. Raises `ValueError` below `min_rounds` values.
    """
    ordered = np.sort(_finite(values))
    if len(ordered) < min_rounds(confidence):
        least = min_rounds(confidence)
        raise ValueError(f"{len(ordered)} values give no {confidence:.4g} interval of a median; take at least {least}")
    rank = median_rank(len(ordered), confidence)
    return float(ordered[rank - 1]), float(ordered[-rank])


@lru_cache(maxsize=4096)
def median_rank(n: int, confidence: float) -> int:
    """The largest 1-based rank ``r`` with ``P(binomial(n, 1/2) < r) <= (1 - confidence) / 2``; at least 1."""
    from scipy.special import bdtr  # scipy is slow to import

    below = bdtr(np.arange(n // 2 + 1), n, 0.5)
    return max(1, int(np.count_nonzero(below <= _miss(confidence) / 2)))


def mean_interval(values: Values, confidence: float, *, trimmed: float = 0.0) -> tuple[float, float]:
    """Student's t interval of the mean of ``values`` [n], n >= 2, without the least and greatest share ``trimmed``.

    A trimmed mean uses the winsorized variance. Use it for values with a few outliers, such as blocks in which the
    machine was busy. Source: Tukey and McLaughlin, Less vulnerable confidence and significance procedures
    for location based on a single sample, Sankhya A 25 (1963).
    """
    from scipy.special import stdtrit  # scipy is slow to import

    x = np.sort(_finite(values))
    if len(x) < LEAST_FOR_MEAN:
        raise ValueError(f"the interval of a mean needs at least {LEAST_FOR_MEAN} values, got {len(x)}")
    cut = int(trimmed * len(x))
    kept = x[cut : len(x) - cut]
    spread = float(np.std(np.clip(x, kept[0], kept[-1]), ddof=1)) / (len(kept) / len(x))
    mean, t = float(np.mean(kept)), float(stdtrit(len(kept) - 1, 1 - _miss(confidence) / 2))
    half = t * spread / math.sqrt(len(x))
    return mean - half, mean + half


def blocked_interval(
    values: Values, blocks: Sequence[int] | NDArray[np.int64], confidence: float
) -> tuple[float, float]:
    """Interval of the median of positive ``values`` [n] that were taken in ``blocks`` [n], numbered in time.

    It is the union of two intervals, so that its coverage is at least ``confidence``. The first is `median_interval`,
    which treats all values as independent. The second is the trimmed `mean_interval` of the logarithms of the blocks'
    medians, which accounts for correlation within a block (nonoverlapping batch means; Schmeiser, Batch size effects in
    the analysis of simulation output, Operations Research 30 (1982)). With fewer than `LEAST_BLOCKS` blocks only the
    first is used.
    """
    ratios, of_block = _finite(values), np.asarray(blocks)
    low, high = median_interval(ratios, confidence)
    names = np.unique(of_block)
    if len(names) < LEAST_BLOCKS or not (ratios > 0).all():
        return low, high
    logs = [math.log(float(np.median(ratios[of_block == name]))) for name in names]
    least, greatest = map(math.exp, mean_interval(logs, confidence, trimmed=TRIMMED))
    return min(low, least), max(high, greatest)


def wilson(successes: float, n: int, confidence: float) -> tuple[float, float]:
    """Score interval of a proportion of ``n`` independent trials.

    A trial may be the mean of several results of one item, between 0 and 1. The interval is conservative then, since
    such a mean varies less than a single result.

    Source: Wilson, Probable inference, the law of succession, and statistical inference, JASA 22 (1927).
    """
    if not 0 <= successes <= n or n == 0:
        raise ValueError(f"need 0 <= successes <= n and n > 0, got {successes} of {n}")
    z, p = _normal_quantile(confidence), successes / n
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    high = 1.0 if successes == n else min(1.0, centre + half)
    return low, high


def paired_difference(b: float, c: float, n: int, confidence: float) -> tuple[float, float]:
    """Adjusted Wald interval of ``p1 - p2``, two proportions over the same ``n`` items.

    ``b`` items succeed under the first only, ``c`` under the second only, so the estimate is ``(b - c) / n``. Half an
    item is added to each of the four cells, which keeps the coverage near nominal if discordant items are few.
    Source: Agresti and Min, Simple improved confidence intervals for comparing matched proportions, Statistics in
    Medicine 24 (2005). With two classifiers on the same images: ``b`` images only the first has right.
    """
    if min(b, c) < 0 or b + c > n or n == 0:
        raise ValueError(f"need b, c >= 0, b + c <= n and n > 0, got b={b}, c={c}, n={n}")
    only_first, only_second, total = b + 0.5, c + 0.5, n + 2
    difference = (only_first - only_second) / total
    variance = only_first + only_second - (only_first - only_second) ** 2 / total
    half = _normal_quantile(confidence) * math.sqrt(variance) / total
    return max(-1.0, difference - half), min(1.0, difference + half)


def _normal_quantile(confidence: float) -> float:
    from scipy.special import ndtri  # scipy is slow to import

    return float(ndtri(1 - _miss(confidence) / 2))


def _miss(confidence: float) -> float:
    """The probability that an interval at ``confidence`` misses."""
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must be between 0 and 1, both excluded, got {confidence!r}")
    return 1 - confidence


def _finite(values: Values) -> NDArray[np.float64]:
    x = np.asarray(values, dtype=np.float64)
    if not np.isfinite(x).all():
        raise ValueError(f"values must be finite, got {x[~np.isfinite(x)][0]} among {x.size}")
    return x
