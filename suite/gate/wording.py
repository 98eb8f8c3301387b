"""How a reason shows values: the stored one, the measured one, the loss between them, and the bound."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from suite.core.metrics import SHARES, VS_CONTROL

if TYPE_CHECKING:
    from suite.core.records import Measurement

UNITS = {"1": ""}
MOST_DIGITS = 6


def comparison(measured: Measurement, stored: float, bound: float, *, crossed: bool = False) -> str:
    """One line, such as ``90.45 % -> 86.01 %, -4.4 points, bound 86.15 %``; with the interval where there is one.

    ``crossed`` says that the interval contains the bound. ``stored`` and ``bound`` are in the metric's unit.
    """
    digits = _digits(measured, stored, bound)
    interval = ""
    if measured.low is not None and measured.high is not None and _by_interval(measured):
        low, high = (_number(measured, end, digits) for end in (measured.low, measured.high))
        interval = f" [{low}, {high}]"
    said = f"{_shown(measured, stored, digits)} -> {_shown(measured, measured.value, digits, interval)}"
    holds = "its interval contains the bound" if crossed else "bound"
    return f"{said}, {change(measured, stored)}, {holds} {_shown(measured, bound, digits)}"


def change(measured: Measurement, stored: float) -> str:
    """The difference to the stored value: in points for a proportion, in counts for a size, else in percent."""
    difference = measured.value - stored
    if _is_share(measured):
        return f"{_signed(100 * difference, 1)} points"
    relative = f"{_signed(100 * difference / abs(stored), 1)} %" if stored and math.isfinite(difference) else ""
    if relative and not _is_difference(measured) and not _counts(measured, stored):
        return relative
    plain = f"{int(difference):+d}" if _counts(measured, stored) else f"{difference:+.3g}"
    unit = _unit(measured)
    return f"{plain}{unit} ({relative})" if relative and _counts(measured, stored) else f"{plain}{unit}"


def figure(value: float | None) -> str:
    """Short, and still exact for counts: a count that is off by one must not look like its bound."""
    if value is None:
        return "none"
    return str(int(value)) if math.isfinite(value) and value == int(value) else f"{value:.6g}"


def _shown(measured: Measurement, value: float, digits: int, interval: str = "") -> str:
    number = _number(measured, value, digits) + interval
    if not _is_share(measured):
        return f"{number}{_unit(measured)}"
    return f"{number} {'points' if _is_difference(measured) else '%'}"


def _number(measured: Measurement, value: float, digits: int) -> str:
    return f"{100 * value:.{digits}f}" if _is_share(measured) else figure(value)


def _digits(measured: Measurement, stored: float, bound: float) -> int:
    """As many digits as a value and its bound need to look different; two usually."""
    nearest = min((abs(measured.value - other) for other in (stored, bound) if other != measured.value), default=1.0)
    if not 0 < nearest < math.inf:
        return 2
    return min(MOST_DIGITS, max(2, math.ceil(-math.log10(100 * nearest))))


def _signed(number: float, digits: int) -> str:
    """With its sign; a number that rounds to zero gets two significant digits."""
    return f"{number:+.{digits}f}" if not number or abs(number) >= 10**-digits else f"{number:+.2g}"


def _unit(measured: Measurement) -> str:
    return UNITS.get(measured.unit, f" {measured.unit}")


def _is_share(measured: Measurement) -> bool:
    return measured.share or (measured.metric in SHARES and measured.unit == "1")


def _is_difference(measured: Measurement) -> bool:
    return measured.metric.endswith(VS_CONTROL)


def _counts(measured: Measurement, stored: float) -> bool:
    return measured.group == "size" and float(measured.value).is_integer() and float(stored).is_integer()


def _by_interval(measured: Measurement) -> bool:
    return measured.group == "speed" and measured.unit == "1"
