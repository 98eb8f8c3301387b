"""When a technique has earned what its adoption cost."""

from __future__ import annotations

import math
from dataclasses import dataclass

from suite.analysis.plan.interval_arithmetic import ValueInterval

AT_ONCE, NEVER = "at once", "never"
DAYS_PER_YEAR = 365.25
TWO_YEARS, LONGEST = 2 * DAYS_PER_YEAR, 1000 * DAYS_PER_YEAR  # shown in days below, in years, or not at all above


@dataclass(frozen=True, kw_only=True)
class Payback:
    """Days until it has paid back: 0 at once, infinity never; ``low <= value <= high``.

    ``interval`` is false if a part of it varies and has no interval.

    One end pairs the least cost with the greatest daily saving, the other end pairs the opposite. So the interval
    covers at least as often as both intervals cover together.
    """

    value: float
    low: float
    high: float
    interval: bool = True

    def __str__(self) -> str:
        if not self.interval:
            return f"{_days(self.value)} [?]"
        if self.low == self.value == self.high:
            return _days(self.value)
        return f"{_days(self.value)} [{_days(self.low)}, {_days(self.high)}]"


def payback(cost: ValueInterval, daily: ValueInterval) -> Payback:
    """Days until ``daily`` savings reach the ``cost`` of adoption, both in one currency."""
    return Payback(
        interval=cost.interval and daily.interval,
        value=days(cost.value, daily.value),
        low=days(cost.low, daily.high),
        high=days(cost.high, daily.low),
    )


def days(cost: float, daily: float) -> float:
    """Days for one cost and one daily saving: 0 without a cost, infinity without a saving."""
    if cost <= 0 <= daily:
        return 0.0
    return math.inf if daily <= 0 else cost / daily


def _days(value: float) -> str:
    if value == 0:
        return AT_ONCE
    if math.isinf(value):
        return NEVER
    if value < TWO_YEARS:
        return f"{float(f'{value:.3g}'):g} d"
    return f"{value / DAYS_PER_YEAR:.3g} y" if value < LONGEST else "over 1000 y"
