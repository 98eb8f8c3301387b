"""Whether a gate's run can be believed as a whole, whatever its single figures say."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median

from suite.core.metrics import is_paired
from suite.core.records import Verdict, VerdictKind
from suite.core.stats.intervals import median_interval, min_rounds

MOST_INCONCLUSIVE = 0.2  # of the paired figures that have an expectation; beyond it a gate has not looked
LEAST_THROUGHPUT = 0.5  # of the stored ones, in the median of the cells; within hours they move by a third
CONFIDENCE = 0.99
FEWEST = min_rounds(CONFIDENCE)

UNSURE = "not gated: more than a fifth of the paired timings are inconclusive; run again on a quieter machine"


def saw_too_little(verdicts: Iterable[Verdict]) -> str:
    """Why a gate cannot be said to have looked: most of its paired figures are inconclusive; else empty."""
    paired = [v for v in verdicts if is_paired(v.metric) and v.kind is not VerdictKind.MISSING]
    judged = [v for v in paired if v.expectation is not None or v.kind is VerdictKind.INCONCLUSIVE]
    unsure = sum(v.kind is VerdictKind.INCONCLUSIVE for v in judged)
    return UNSURE if unsure > MOST_INCONCLUSIVE * len(judged) else ""


def slowed(verdicts: Iterable[Verdict]) -> str:
    """Why a run is too slow for its ratios to tell anything; empty where it is not, or has too few cells.

    A ratio cancels what slows technique, baseline and reference kernel alike: a build without its fast kernels, a
    throttled host. A single throughput moves with the hour. Where those of most cells together lie below half of what
    this machine served when they were stored, something has happened.
    """
    shares = _shares(verdicts)
    if len(shares) < FEWEST:
        return ""
    low, high = median_interval(shares, CONFIDENCE)
    if high >= LEAST_THROUGHPUT:
        return ""
    return (
        f"not gated: this run serves {median(shares):.2f} [{low:.2f}, {high:.2f}] times as many items a second as was "
        f"stored for this machine, in the median of {len(shares)} cells, which no ratio shows; compare versions and "
        "threads, look for throttling and other load, or record the new figures"
    )


def _shares(verdicts: Iterable[Verdict]) -> Sequence[float]:
    """Of the stored throughputs, by cell; the last of each, since verdicts may be given twice."""
    told = {
        v.cell: v.measurement.value / v.expectation.value
        for v in verdicts
        if v.metric == "throughput" and v.measurement is not None and v.expectation is not None and v.expectation.value
    }
    return list(told.values())
