"""Intervals of sums, differences and ratios of figures that bring intervals of their own.

MOVER, the method of variance estimates recovery: each interval's arms stand for standard errors and add in squares.
Source: Zou and Donner, Construction of confidence limits about effect measures, Statistics in Medicine 27 (2008).
Exact arms (a count) add nothing. Figures of the same seeds or items vary together, which makes the interval of
their difference wider than need be, never narrower.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace


@dataclass(frozen=True, kw_only=True)
class ValueInterval:
    """A value and its interval, ``low <= value <= high``; all three are equal for a count.

    ``interval`` is false where the figure varies and no interval is known: its ends are the value then.
    ``how`` says how it was compared.
    """

    value: float
    low: float
    high: float
    interval: bool = True
    how: str = ""


def estimate(
    value: float, low: float | None = None, high: float | None = None, *, exact: bool = False
) -> ValueInterval:
    """A figure with the interval that it has; without one it counts as known, or as ``exact``."""
    if low is None or high is None:
        return ValueInterval(value=value, low=value, high=value, interval=exact)
    return ValueInterval(value=value, low=min(low, value), high=max(high, value))


def plus(first: ValueInterval, second: ValueInterval) -> ValueInterval:
    """The sum of two estimates."""
    value = first.value + second.value
    below = math.hypot(first.value - first.low, second.value - second.low)
    above = math.hypot(first.high - first.value, second.high - second.value)
    known = first.interval and second.interval
    return ValueInterval(value=value, low=value - below, high=value + above, interval=known)


def minus(first: ValueInterval, second: ValueInterval) -> ValueInterval:
    """The difference of two estimates."""
    return plus(first, scaled(second, -1.0))


def over(first: ValueInterval, second: ValueInterval) -> ValueInterval:
    """The ratio of two positive estimates, by the difference of their logarithms; exact for two counts."""
    logarithm, value = minus(monotone(first, math.log), monotone(second, math.log)), first.value / second.value
    below, above = logarithm.value - logarithm.low, logarithm.high - logarithm.value
    return replace(logarithm, value=value, low=value * math.exp(-below), high=value * math.exp(above))


def scaled(estimate: ValueInterval, factor: float, shift: float = 0.0) -> ValueInterval:
    """``factor * estimate + shift``."""
    return monotone(estimate, lambda x: factor * x + shift)


def monotone(estimate: ValueInterval, function: Callable[[float], float]) -> ValueInterval:
    """A rising or falling function of an estimate; the interval keeps its confidence."""
    ends = sorted((function(estimate.low), function(estimate.high)))
    value = function(estimate.value)
    return replace(estimate, value=value, low=min(ends[0], value), high=max(ends[1], value))
