"""Figures as people read them: percentages, points, ratios, sizes, and plain numbers with few digits."""

from __future__ import annotations

from collections.abc import Callable, Iterable


def percent(share: float | None) -> str:
    """A share in percent: ``97.35 %``."""
    return "-" if share is None else f"{100 * share:.2f} %"


def points(value: float | None, low: float | None = None, high: float | None = None) -> str:
    """A difference of shares in percentage points, with its interval: ``-0.28 [-0.61, +0.06]``."""
    return _with_interval(value, low, high, lambda share: f"{round(100 * share, 2) + 0.0:+.2f}")  # no -0.00


def plain(value: float | None, unit: str = "1") -> str:
    """A number of four digits with its unit: ``1.234 bit``."""
    return "-" if value is None else f"{number(value)}{unit_of(unit)}"


def change(value: float | None, low: float | None = None, high: float | None = None) -> str:
    """A difference in the score's own unit, signed, with its interval: ``-0.012 [-0.02, -0.004]``."""
    return _with_interval(value, low, high, lambda size: f"{'-' if size < 0 else '+'}{number(abs(size), digits=3)}")


def times(value: float | None, low: float | None = None, high: float | None = None) -> str:
    """A ratio with its interval: ``2.24x [2.20, 2.28]``."""
    return _with_interval(value, low, high, lambda ratio: f"{ratio:.2f}", unit="x")


def size(count: float | None) -> str:
    """Bytes in the decimal unit that fits: ``512 B``, ``151.2 kB``, ``1.2 MB``."""
    if count is None:
        return "-"
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= 0.99995 * scale:  # 999,960 bytes are 1.0 MB, not 1000.0 kB
            return f"{count / scale:.1f} {unit}"
    return f"{count:.0f} B"


def scaled(count: float | None) -> str:
    """A large count in three digits: ``812``, ``14.4 k``, ``2.63 M``, ``4.09 G``."""
    if count is None:
        return "-"
    for unit, scale in (("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if count >= 0.9995 * scale:
            return f"{_three(count / scale)} {unit}"
    return f"{count:.0f}"


def money(amount: float | None) -> str:
    """An amount of money in three digits, without its currency: ``0.0612``."""
    return "-" if amount is None else number(amount, digits=3)


def whole(count: float | None) -> str:
    """A count in full: ``225,034``."""
    return "-" if count is None else f"{count:,.0f}"


def number(value: float, *, bounds: Iterable[float | None] = (), digits: int = 4) -> str:
    """Four digits and whole numbers in full; more digits where rounding would put it on the other side of a bound."""
    limits = [bound for bound in bounds if bound is not None]
    for count in range(digits, 18):
        text = _digits(value, count)
        if all(_side(_parsed(text), limit) == _side(value, limit) for limit in limits):
            return text
    return repr(value)


def unit_of(unit: str) -> str:
    """What stands behind a number for its unit."""
    return "" if unit == "1" else f" {unit}"


def _with_interval(
    value: float | None, low: float | None, high: float | None, show: Callable[[float], str], unit: str = ""
) -> str:
    if value is None:
        return "-"
    interval = "" if low is None or high is None else f" [{show(low)}, {show(high)}]"
    return f"{show(value)}{unit}{interval}"


def _side(value: float, bound: float) -> int:
    return (value > bound) - (value < bound)


def _parsed(text: str) -> float:
    return float(text.replace(",", ""))


def _three(value: float) -> str:
    decimals = next((places for places, end in ((2, 9.995), (1, 99.95)) if value < end), 0)
    return f"{value:.{decimals}f}"


def _digits(value: float, digits: int) -> str:
    if value == round(value) or abs(value) >= 10**digits:
        return f"{value:,.0f}"
    return f"{value:.{digits}g}"
