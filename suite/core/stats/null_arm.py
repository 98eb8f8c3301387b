"""The null arms of a run test its timings: every sample times the baseline against its own copy.

A sampler that favours an arm, or a noisy machine, moves ratios that should be 1. In such a run no timing fails a gate
or becomes an expectation. Two kinds of ratio are checked: the null arms, and the ratios of all techniques that serve
the baseline's architecture (or train by its step). Only the second kind detects a sampler that treats the technique's
arm differently from the others.
"""

from __future__ import annotations

import math
from statistics import fmean, median
from typing import TYPE_CHECKING, Protocol

from suite.core.stats.intervals import TRIMMED, mean_interval, median_interval, min_rounds

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping, Sequence

CONFIDENCE = 0.99
LEAST = min_rounds(CONFIDENCE)
MOST_BIAS = 0.005
MOST_SPREAD = 0.02
MOST_ARM_BIAS = 0.002  # of the mean log ratio of arms that do the same work
LEAST_ARMS = 4  # ratios of such arms: Student's t of fewer is too wide
TO_SIGMA = 1.4826  # times the median absolute deviation of normal values is their standard deviation


class Timed(Protocol):
    """What the checks look at of a `suite.core.records.Measurement`, whole or brief."""

    @property
    def cell(self) -> Hashable: ...
    @property
    def metric(self) -> str: ...
    @property
    def value(self) -> float: ...
    @property
    def samples(self) -> str | None: ...
    @property
    def null(self) -> float | None: ...
    @property
    def same_work(self) -> bool: ...


def null_ratios(measured: Iterable[Timed]) -> list[float]:
    """The null arm of each sample once, in the order of the run, however many ratios the sample brought."""
    samples = {(one.cell, one.samples or one.metric): one.null for one in measured if one.null is not None}
    return [null for null in samples.values() if math.isfinite(null)]


def spread_of(ratios: Sequence[float]) -> float:
    """Their standard deviation, from the median absolute deviation: a single bad sample is already suspect."""
    middle = median(ratios)
    return TO_SIGMA * median(abs(ratio - middle) for ratio in ratios)


def run_doubt(ratios: Sequence[float]) -> str:
    """Why no timing of the run counts; empty if its null arms are close to 1, or too few."""
    if len(ratios) < LEAST:
        return ""
    low, high = median_interval(ratios, CONFIDENCE)
    if low > 1 + MOST_BIAS or high < 1 - MOST_BIAS:
        return f"this run's null arms are biased: {_summary(ratios)}; expected is 1 within {MOST_BIAS:.1%}"
    if spread_of(ratios) > MOST_SPREAD:
        return f"this run's null arms spread too widely: {_summary(ratios)}, the limit is {MOST_SPREAD:.0%}"
    return ""


def same_work_ratios(measured: Iterable[Timed]) -> dict[str, list[float]]:
    """By metric, the ratios of arms that do the same work, in the order of the run; each cell's last one counts."""
    ratios: dict[str, dict[Hashable, float]] = {}
    for measurement in measured:
        if measurement.same_work and measurement.value > 0 and math.isfinite(measurement.value):
            ratios.setdefault(measurement.metric, {})[measurement.cell] = measurement.value
    return {metric: list(by_cell.values()) for metric, by_cell in ratios.items()}


def arm_doubt(ratios: Mapping[str, Sequence[float]]) -> str:
    """Why no timing of the run counts: arms that do the same work differ; empty if they agree, or are too few.

    ``ratios`` are those of `same_work_ratios`. The doubt is raised if the whole 99 % interval of their mean logarithm
    is more than `MOST_ARM_BIAS` away from 0. The mean is trimmed: one technique may be slow for a reason of its own.
    """
    for metric, values in ratios.items():
        if len(values) >= LEAST_ARMS:
            low, high = mean_interval([math.log(value) for value in values], CONFIDENCE, trimmed=TRIMMED)
            if low > MOST_ARM_BIAS or high < -MOST_ARM_BIAS:
                return (
                    f"this run's arms are not timed alike: {_arms_line(metric, values)}; expected is 1 "
                    f"within {MOST_ARM_BIAS:.1%} (99 % interval {math.exp(low):.4f} to {math.exp(high):.4f})"
                )
    return ""


def lines(measured: Iterable[Timed]) -> list[str]:
    """Lines for the end of a run about its own error; none if nothing was timed."""
    measured = list(measured)
    nulls = null_ratios(measured)
    arms = "; ".join(
        _arms_line(metric, values) for metric, values in same_work_ratios(measured).items() if len(values) >= LEAST_ARMS
    )
    return [*([line(nulls)] if nulls else []), *([f"same work: {arms}"] if arms else [])]


def _arms_line(metric: str, values: Sequence[float]) -> str:
    mean = math.exp(fmean(math.log(value) for value in values))
    return f"{metric} of {len(values)} cells with the baseline's architecture is {mean:.4f} in the mean"


def line(ratios: Sequence[float]) -> str:
    """One line for the end of a run; empty if nothing was timed."""
    return f"null arm: {_summary(ratios)}" if ratios else ""


def _summary(ratios: Sequence[float]) -> str:
    count = f"{len(ratios)} samples" if len(ratios) > 1 else "1 sample"
    text = f"the baseline against its own copy is {median(ratios):.4f} in the median of {count}"
    return f"{text}, spread {spread_of(ratios):.2%}"
