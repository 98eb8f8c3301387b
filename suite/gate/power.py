"""The minimum detectable slowdown of a gate: found with 99 % power, given its bound and the noise.

A ratio has regressed if its whole interval, of half width ``h``, is below the bound. The estimate has the standard
deviation ``s`` (between processes and between runs). So a true ratio ``r`` is found with power ``p`` if ``r + h + z(p)
s <= low``. This is the normal approximation of a one-sided test's power (Cohen 1988, chapter 2), with the half width in
place of the critical value.

`suite.core.stats.proportions` has the same for accuracies.
"""

from __future__ import annotations

import math
from functools import lru_cache
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
    """How far below the stored value, relative to it, the next run of unchanged code is with probability ``chance``.

    This is Student's prediction of one more run. The spread comes from few runs and from the processes of the
    recording, so their degrees of freedom are pooled (Satterthwaite 1946, for equal parts). The stored mean has an
    error, too. The margin is at most half, since few processes alone would excuse anything. The prior from other
    entries (`suite.gate.hours`) can only widen it: another machine may differ more. Zero if nothing was recorded.
    """
    runs = tuple(runs_of(entry).values()) or (entry.value,)
    spread = spread_of(entry)
    if not spread:
        return 0.0  # a bound that was written by hand is meant as it is
    known = (runs, entry.noise, entry.processes or 1)
    return _strays(entry.metric, known, spread, chance)


@lru_cache(maxsize=65536)  # machines of a family share their entries
def _strays(metric: str, recorded: tuple[tuple[float, ...], float | None, int], spread: float, chance: float) -> float:
    """Of ``recorded`` runs, noise and processes."""
    runs, noise, processes = recorded
    own = hours.Spread(deviation=spread, freedom=max(1, len(runs) - 1 + processes - 1))
    known = hours.spread(metric, runs, noise, processes)
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
