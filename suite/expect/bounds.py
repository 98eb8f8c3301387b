"""Propose bounds from a measurement and its noise ``s``.

Bounds stand about 4 ``s`` away on the unfavourable side, and never nearer than what repeats badly anywhere.
"""

from __future__ import annotations

import math
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from suite.records import Measurement

SIGMAS = 4
SIZE_MARGIN = 0.02  # of bytes that are not exact: an artefact with time stamps, entropy coding
RATIO_MARGIN = 0.01
UNKNOWN_QUALITY_MARGIN = 0.02  # one seed, so nothing is known of s
UNKNOWN_RATIO_MARGIN = 0.05  # no fresh processes, so nothing is known of s


def propose(measured: Measurement) -> tuple[float | None, float | None]:
    """``(low, high)`` in the metric's unit, rounded outward to 4 digits; neither excludes the stored value.

    Exact figures get both bounds, others the unfavourable one; sizes that are not exact get both.
    """
    value = stored_value(measured)
    if measured.tier == "exact":
        return value, value
    low, high = _distances(measured)
    return (
        None if low is None else min(value, _outward(measured, measured.value - low, ROUND_FLOOR)),
        None if high is None else max(value, _outward(measured, measured.value + high, ROUND_CEILING)),
    )


def stored_value(measured: Measurement) -> float:
    """The value as a file holds it: counts as ints, exact figures unrounded, others with 6 significant digits."""
    value = float(measured.value)
    if _counts(measured):
        return int(value)
    return value if measured.tier == "exact" else float(f"{value:.6g}")


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
    if measured.tier == "portable" and measured.group == "size":
        margin = SIZE_MARGIN * size
        return (None, margin) if measured.metric == "entropy_bytes" else (margin, margin)
    if measured.tier == "portable":
        distance = _quality_margin(measured)
    elif measured.tier == "family":
        distance = size * max(RATIO_MARGIN if _known(measured) else UNKNOWN_RATIO_MARGIN, SIGMAS * _noise(measured))
    else:
        distance = size * max(_local_margin(measured), SIGMAS * _noise(measured))
    return (distance, None) if measured.better == "higher" else (None, distance)


def _quality_margin(measured: Measurement) -> float:
    """In the metric's unit; the mean over n seeds spreads as s / sqrt(n)."""
    least = 0.01 if measured.metric == "accuracy_worst_seed" else 0.005
    least = least if _known(measured) else UNKNOWN_QUALITY_MARGIN
    return max(least, SIGMAS * _noise(measured) / math.sqrt(max(1, len(measured.seeds))))


def _local_margin(measured: Measurement) -> float:
    """Absolute times are a last net, a factor of two wide: on a shared machine they move by a third within the hour
    while the paired ratios stay. Sharp gates are paired.
    """
    return {"B": 0.05, "1/s": 0.5}.get(measured.unit, 1.0)


def _known(measured: Measurement) -> bool:
    return measured.noise is not None and math.isfinite(measured.noise)


def _noise(measured: Measurement) -> float:
    return measured.noise or 0.0 if _known(measured) else 0.0


def _counts(measured: Measurement) -> bool:
    return (measured.unit == "B" or measured.tier == "exact") and float(measured.value).is_integer()


def _outward(measured: Measurement, bound: float, rounding: str) -> float:
    rounded = _round(bound, rounding)
    return int(rounded.to_integral_value(rounding)) if _counts(measured) else float(rounded)


def _round(number: float, rounding: str) -> Decimal:
    """4 significant digits; 12 first, because 2.24 * 0.97 has digits that mean nothing."""
    return Context(prec=4, rounding=rounding).create_decimal(f"{number:.12g}")
