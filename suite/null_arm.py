"""What a run's null arms say about its timings: the baseline against its own copy, in every sample.

A sampler that favours a side, or a machine that won't hold still, shows in ratios that ought to be 1. Where it does,
no timing of that run fails a gate or becomes an expectation.
"""

from __future__ import annotations

import math
from statistics import median
from typing import TYPE_CHECKING

from suite.intervals import median_interval, min_rounds

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from suite.records import Measurement

CONFIDENCE = 0.99
LEAST = min_rounds(CONFIDENCE)
MOST_BIAS = 0.005
MOST_SPREAD = 0.02
TO_SIGMA = 1.4826  # times the median absolute deviation of normal values is their standard deviation


def null_ratios(measured: Iterable[Measurement]) -> list[float]:
    """The null arm of each sample once, in the order of the run, however many ratios the sample brought."""
    samples = {(one.cell, one.samples or one.metric): one.null for one in measured if one.null is not None}
    return [null for null in samples.values() if math.isfinite(null)]


def spread_of(ratios: Sequence[float]) -> float:
    """Their standard deviation, by the median absolute deviation: one bad sample has its own doubts."""
    middle = median(ratios)
    return TO_SIGMA * median(abs(ratio - middle) for ratio in ratios)


def run_doubt(ratios: Sequence[float]) -> str:
    """Why no timing of the run counts; empty where its null arms lie about 1, or are too few to tell."""
    if len(ratios) < LEAST:
        return ""
    low, high = median_interval(ratios, CONFIDENCE)
    if low > 1 + MOST_BIAS or high < 1 - MOST_BIAS:
        return f"this run's null arms are biased: {_told(ratios)}, where 1 is expected"
    if spread_of(ratios) > MOST_SPREAD:
        return f"this run's null arms spread too widely: {_told(ratios)}, where {MOST_SPREAD:.0%} is the most"
    return ""


def line(ratios: Sequence[float]) -> str:
    """One line for the end of a run; empty where nothing was timed."""
    return f"null arm: {_told(ratios)}" if ratios else ""


def _told(ratios: Sequence[float]) -> str:
    count = f"{len(ratios)} samples" if len(ratios) > 1 else "1 sample"
    told = f"the baseline against its own copy is {median(ratios):.4f} in the median of {count}"
    return f"{told}, spread {spread_of(ratios):.2%}"
