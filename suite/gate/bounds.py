"""Propose bounds from a measurement and its noise ``s``.

Bounds stand about 4 ``s`` away on the unfavourable side, and never nearer than what repeats badly anywhere.
"""

from __future__ import annotations

import math
from dataclasses import replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from statistics import fmean, stdev
from typing import TYPE_CHECKING

from suite.core.metrics import WORST_SEED, is_paired
from suite.core.stats.proportions import least_margin
from suite.gate.hours import ENOUGH_PROCESSES, reach

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from suite.core.records import Better, Expectation, Measurement

SIGMAS = 4
SIZE_MARGIN = 0.02  # of bytes that are not exact: an artefact with time stamps, entropy coding
RATE_MARGIN = 0.005  # half a point, of qualities that are shares
SCORE_MARGIN = 0.01  # of the value, of qualities in other units
UNKNOWN_FACTOR = 4  # one seed, so nothing is known of s
WORST_FACTOR = 2  # one seed spreads more than the mean of several
ERROR_FACTOR, ERROR_MARGIN = 3, 1e-5  # errors of rounding differ by kernels, so by machine
RATIO_MARGIN = 0.01
UNKNOWN_RATIO_MARGIN = 0.05  # too few fresh processes, so nothing is known of s
ROUNDED = 1e-5  # relative: stored values have six digits
DRIFT_SIGMAS = 3.1  # of a normal distribution: drift alone goes beyond it in one run of a thousand


def least_favourable(values: Iterable[float], better: Better) -> float:
    """The least where higher is better, else the greatest."""
    return min(values) if better == "higher" else max(values)


def over_seeds(entry: Expectation, values: Sequence[float]) -> float:
    """What an entry's metric is of ``values`` by seed: the worst seed's, or their mean."""
    return least_favourable(values, entry.better) if entry.metric.endswith(WORST_SEED) else fmean(values)


def propose(measured: Measurement) -> tuple[float | None, float | None]:
    """``(low, high)`` in the metric's unit, rounded outward to 4 digits; neither excludes the stored value.

    Exact figures get both bounds, others the unfavourable one; sizes that are not exact get both.
    """
    value = stored_value(measured)
    if measured.tier == "exact":
        return value, value
    if is_paired(measured.metric):
        return over_hours(measured, [measured.value])
    return around(measured, measured.value, measured.value)


def over_hours(measured: Measurement, runs: Sequence[float]) -> tuple[float | None, float | None]:
    """Bounds of a ratio of times around all that ``runs`` [n >= 1] saw, the measurement among them.

    The noise gives their distance from the least and the greatest run. They are also so far from the mean that
    unchanged code crosses them in one run of 200, even if its spread is poorly known (`suite.gate.hours`).
    """
    low, high = around(replace(measured, value=min(runs)), min(runs), max(runs))
    middle, drift = fmean(runs), DRIFT_SIGMAS * (stdev(runs) if len(runs) > 1 else 0.0)
    drift = max(drift, abs(middle) * reach(measured.metric, runs, _noise(measured), measured.processes))
    lowest, highest = outward(measured, middle - drift, middle + drift)
    return None if low is None else min(low, lowest), None if high is None else max(high, highest)


def around(measured: Measurement, least: float, greatest: float) -> tuple[float | None, float | None]:
    """Bounds as far below ``least`` and above ``greatest`` as the measurement's noise asks for, rounded outward.

    They cover several machines, from the least figure to the greatest, where the figure is to hold on all of them.
    """
    low, high = _distances(measured)
    return (
        None if low is None else min(_stored(measured, least), _outward(measured, least - low, ROUND_FLOOR)),
        None if high is None else max(_stored(measured, greatest), _outward(measured, greatest + high, ROUND_CEILING)),
    )


def outward(measured: Measurement, low: float, high: float) -> tuple[float, float]:
    """Two bounds as files hold them: 4 digits, counts whole, rounded away from what lies between."""
    return _outward(measured, low, ROUND_FLOOR), _outward(measured, high, ROUND_CEILING)


def below(value: float, noise: float) -> float:
    """The lower bound of a ratio whose relative noise is ``noise``: 4 digits, rounded outward."""
    return float(_round(value - SIGMAS * noise * abs(value), ROUND_FLOOR))


def stored_value(measured: Measurement) -> float:
    """The value as a file holds it: counts as ints, exact figures unrounded, others with 6 significant digits."""
    return _stored(measured, float(measured.value))


def short(number: float) -> float:
    """6 significant digits; counts stay ints."""
    return number if isinstance(number, int) else float(f"{number:.6g}")


def knows_processes(measured: Measurement) -> bool:
    """Whether the noise of a ratio over processes is known: two processes say next to nothing of it."""
    return measured.processes >= ENOUGH_PROCESSES and _known(measured)


def _stored(measured: Measurement, value: float) -> float:
    if _counts(measured) and float(value).is_integer():
        return int(value)
    return value if measured.tier == "exact" else short(float(value))


def mirrored(value: float, bound: float) -> float:
    """The bound as far from ``value`` on its other side, 4 digits, outward."""
    other = value + (value - bound)
    rounding = ROUND_CEILING if other > value else ROUND_FLOOR
    rounded = _round(other, rounding)
    whole = isinstance(value, int) and isinstance(bound, int)
    return int(rounded.to_integral_value(rounding)) if whole else float(rounded)


def _distances(measured: Measurement) -> tuple[float | None, float | None]:
    """How far below and above the value the bounds stand; None for a side without bound."""
    size = abs(measured.value)
    if measured.group == "size":
        margin = SIZE_MARGIN * size if measured.margin is None else measured.margin
        return (None, margin) if measured.metric == "entropy_bytes" else (margin, margin)
    if measured.metric == "output_error":
        distance = max((ERROR_FACTOR - 1) * size, ERROR_MARGIN)
    elif measured.tier == "portable":
        distance = _quality_margin(measured)
    elif measured.tier == "family":
        known = knows_processes(measured)
        distance = size * max(RATIO_MARGIN if known else UNKNOWN_RATIO_MARGIN, SIGMAS * _noise(measured))
    else:
        distance = size * max(_local_margin(measured), SIGMAS * _noise(measured))
    distance = max(distance, measured.margin or 0.0)
    return (distance, None) if measured.better == "higher" else (None, distance)


def _quality_margin(measured: Measurement) -> float:
    """In the metric's unit; the mean over n seeds spreads as s / sqrt(n)."""
    least = _least_difference(measured)
    if not _known(measured):
        least = max(UNKNOWN_FACTOR * least, _half_width(measured))
    elif measured.metric.endswith(WORST_SEED):
        least *= WORST_FACTOR
    return max(least, SIGMAS * _noise(measured) / math.sqrt(max(1, len(measured.seeds))))


def _half_width(measured: Measurement) -> float:
    """Of the interval over items: all that is known of the spread of one seed, such as that of a difference near 0.

    Shares have the margin of their items.
    """
    if measured.share or measured.low is None or measured.high is None:
        return 0.0
    return max(measured.value - measured.low, measured.high - measured.value)


def _least_difference(measured: Measurement) -> float:
    """What matters: as the measurement says, else half a point of a share and 1 % of anything else; of a share of items
    never less than so many can tell.
    """
    share = measured.unit == "1" and measured.better == "higher"
    usual = RATE_MARGIN if share else SCORE_MARGIN * abs(measured.value)
    least = usual if measured.margin is None else measured.margin
    return max(least, least_margin(measured.n)) if measured.share else least


def _local_margin(measured: Measurement) -> float:
    """Absolute times are a last net, a factor of two wide: on a shared machine they move by a third within the hour
    while the paired ratios stay. Sharp gates are paired.
    """
    if measured.unit == "B":
        return 0.05
    return 0.5 if measured.better == "higher" else 1.0


def _known(measured: Measurement) -> bool:
    return measured.noise is not None and math.isfinite(measured.noise)


def _noise(measured: Measurement) -> float:
    return measured.noise or 0.0 if _known(measured) else 0.0


def _counts(measured: Measurement) -> bool:
    return (measured.unit == "B" or measured.group == "size") and float(measured.value).is_integer()


def _outward(measured: Measurement, bound: float, rounding: str) -> float:
    rounded = _round(bound, rounding)
    return int(rounded.to_integral_value(rounding)) if _counts(measured) else float(rounded)


def _round(number: float, rounding: str) -> Decimal:
    """4 significant digits; 12 first, because 2.24 * 0.97 has digits that mean nothing."""
    return Context(prec=4, rounding=rounding).create_decimal(f"{number:.12g}")
