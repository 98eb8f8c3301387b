"""What a gate can see: the slowdown that it finds with 99 % power, given its bound and the noise.

A ratio has regressed where its whole interval, of half width ``h``, lies below the bound. The estimate spreads by ``s``
(between processes, and what runs at other hours saw), so a true ratio ``r`` is found with power ``p`` where
``r + h + z(p) s <= low``: the normal approximation of a one-sided test's power (Cohen 1988, chapter 2), with the
interval's own half width in place of its critical value.

What is found of a share of right items stands in `suite.core.stats.proportions`.
"""

from __future__ import annotations

import math
from statistics import NormalDist, stdev
from typing import TYPE_CHECKING

from suite.core.metrics import is_paired
from suite.core.stats.proportions import loss_found
from suite.gate import hours
from suite.gate.bounds import DRIFT_SIGMAS
from suite.gate.drift import runs_of
from suite.gate.seed_subset import bounds_of

if TYPE_CHECKING:
    from suite.core.records import Expectation, Measurement
    from suite.gate.seed_subset import Bounds

POWER = 0.99
ROUNDING = 0.01  # stored figures have 4 digits


def detectable(measured: Measurement, entry: Expectation | None, limit: float | None = None) -> float | None:
    """The least loss that one run finds: of a ratio of times with 99 % power, of a share of right items with 95 %.

    A ratio's loss is a share of the stored value, that of a share a difference. A ratio has to lie below ``limit``, by
    default the stored bound. ``None`` where neither is gated: another kind of figure, no bound, no interval, no known
    noise. At least 1 means that nothing is ever found.
    """
    if entry is None or entry.low is None or measured.low is None or measured.high is None:
        return None
    if is_paired(measured.metric):
        return _of_ratio(measured, entry, entry.low if limit is None else limit)
    return _of_share(measured, bounds_of(measured, entry)) if measured.share else None


def _of_ratio(measured: Measurement, entry: Expectation, limit: float) -> float | None:
    if entry.noise is None or entry.value <= 0:
        return None
    half = _half_width(measured) / abs(measured.value) if measured.value else math.inf
    spread = NormalDist().inv_cdf(POWER) * spread_of(entry)
    return float((entry.value - limit) / entry.value + half + spread)


def _of_share(measured: Measurement, bounds: Bounds) -> float | None:
    return None if bounds.low is None else loss_found(measured.n, bounds.value - bounds.low)


def _half_width(measured: Measurement) -> float:
    return (float(measured.high or 0.0) - float(measured.low or 0.0)) / 2


def spread_of(entry: Expectation) -> float:
    """The relative standard deviation of a run's estimate: between processes, and between runs where there are several.

    Two runs say little of how runs differ, but more than nothing.
    """
    within = entry.noise or 0.0
    seen = list(runs_of(entry).values())
    return max(within, stdev(seen) / abs(entry.value)) if len(seen) > 1 and entry.value else within


def strays(entry: Expectation, chance: float) -> float:
    """How far below the stored value, as a share of it, unchanged code's next run lies with that ``chance``.

    Student's prediction of one more run: the spread comes from few runs and from the processes of the recording, so
    that its degrees of freedom are theirs together (Satterthwaite 1946, for parts alike), and the stored mean strays,
    too; at most half, since few processes alone would excuse anything. What is known of such ratios elsewhere
    (`suite.gate.hours`) only adds to it: another machine may differ more. Zero where nothing was recorded.
    """
    runs = list(runs_of(entry).values()) or [entry.value]
    processes, spread = entry.processes or 1, spread_of(entry)
    if not spread:
        return 0.0  # a bound that was written by hand is meant as it is
    own = hours.Spread(deviation=spread, freedom=max(1, len(runs) - 1 + processes - 1))
    known = hours.spread(entry.metric, runs, entry.noise, processes)
    reach = (hours.strays(one, len(runs), chance) for one in (own, known))
    return max(min(hours.MOST, one) for one in reach)


def too_tight(entry: Expectation) -> str:
    """Why drift alone would break the bound in more than one run of a thousand; empty where it would not."""
    if not is_paired(entry.metric) or entry.low is None or entry.retired:
        return ""
    spread = spread_of(entry) * abs(entry.value)
    if entry.value - entry.low >= DRIFT_SIGMAS * spread * (1 - ROUNDING):
        return ""
    several = len(runs_of(entry))
    runs = f"{several} runs" if several > 1 else f"{entry.processes or 1} processes"
    return (
        f"low = {entry.low:g} is {(entry.value - entry.low) / spread:.2g} standard deviations of {runs} below "
        f"{entry.value:g}: noise alone breaks it in more than one run of a thousand; "
        f"write {entry.value - DRIFT_SIGMAS * spread:.4g} or less"
    )
