"""When to stop: the gain of the next step against its price."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass

from suite.curves.decide.gains import BootstrapEstimate, step_gain
from suite.curves.families.curve import LARGEST, Curve, CurveError
from suite.curves.fitting.result import LEVEL, Fit

DIRECTIONS = {"higher": 1.0, "lower": -1.0}
HALVINGS = 400  # towards the beginning of an interval: 1e-120 of it


@dataclass(frozen=True)
class StopRule:
    """The next step's gain and what it must bring; both in Q."""

    gain: BootstrapEstimate
    price: float

    @property
    def stops(self) -> bool:
        """Whether even the upper bound of the gain is below its price."""
        return self.gain.high < self.price

    def __str__(self) -> str:
        verdict = "stop" if self.stops else "go on"
        return f"{verdict}: the next step gains at most {self.gain.high:.4g} Q and must bring {self.price:.4g}"


def stop_rule(fit: Fit, at: float, *, step: float, price: float, level: float = LEVEL) -> StopRule:
    """Whether to go on from ``at`` by a ``step``, if a unit of the resource costs ``price`` of quality (Q/R).

    A fall of a loss counts as gain. Stops only if the gain's upper bound is below the price: a noisy curve goes on.
    """
    if price < 0:
        raise CurveError(f"price must not be negative, got {price!r}")
    gain = step_gain(fit, at, step, level)
    return StopRule(gain if fit.curve.rising else _turned(gain), price * step)


def _turned(gain: BootstrapEstimate) -> BootstrapEstimate:
    return BootstrapEstimate(-gain.value, -gain.high, -gain.low, gain.level, gain.unit)


@dataclass(frozen=True)
class Spending:
    """The resource that brings the most after its price, and what remains, in Q.

    ``net`` is the quality less the price of a curve that rises, the loss and the price together of one that falls.
    """

    resource: float
    net: float


def best_spending(curve: Curve, price: float, *, up_to: float, better: str | None = None) -> Spending:
    """The best of all resources up to ``up_to`` when a unit costs as much as ``price`` of quality (Q/R).

    A curve that falls is a loss, which more resources make better, unless ``better`` (``higher``, ``lower``) says
    otherwise. Compares the ends with every point at which the marginal return falls through the price. A point at which
    it rises through the price is a minimum. If the curve is convex at first, no spending can be better than the only
    stationary point. At an excluded end of the domain the curve's limit counts.

    Raises `CurveError` for a price, an end or a direction that cannot be used, and if smaller resources are better
    without a limit.
    """
    _check(curve, price, up_to, better)
    sign = DIRECTIONS[better or ("higher" if curve.rising else "lower")]
    least = curve.domain[0]
    candidates = [(least, sign * curve.start)]
    if sign * curve.start == math.inf:
        raise CurveError(f"{curve.name}: the fewer resources, the better, without a limit; is better={better!r} right?")
    stationary = _stationary(curve, price, least, up_to) if (sign > 0) == curve.rising else ()
    candidates += [(r, sign * float(curve(r))) for r in (up_to, *stationary)]
    resource, value = max(candidates, key=lambda one: one[1] - price * one[0])
    return Spending(resource, sign * (value - price * resource))


def _check(curve: Curve, price: float, up_to: float, better: str | None) -> None:
    if not 0 < price < math.inf:
        raise CurveError(f"price must be positive, got {price!r}")
    if better is not None and better not in DIRECTIONS:
        raise CurveError(f"better must be higher or lower, got {better!r}")
    least = curve.domain[0]
    if not (least < up_to <= min(curve.domain[1], LARGEST)):
        raise CurveError(f"up_to must be above {least:g} and at most {LARGEST:g}, got {up_to!r}")


def _stationary(curve: Curve, price: float, least: float, most: float) -> list[float]:
    """Where the size of the marginal return falls through the price, in the parts of the domain in which it falls."""
    found = []
    for low, high in curve.diminishing:
        begin, end = max(low, least), min(high, most)
        if begin < end and _size(curve, end) < price:
            found += _crossing(curve, price, begin, end)
    return found


def _crossing(curve: Curve, price: float, begin: float, end: float) -> list[float]:
    """The resource between ``begin`` and ``end`` at which the marginal return is the price; none if it is below.

    Goes towards ``begin`` by halves, for there the return may be infinite or the curve not defined.
    """
    from scipy.optimize import brentq

    above = end
    for _ in range(HALVINGS):
        below = begin + (above - begin) / 2
        if not begin < below < above:
            break
        if _size(curve, below) >= price:
            return [float(brentq(lambda r: _size(curve, r) - price, below, above, xtol=1e-15 * above, rtol=1e-14))]
        above = below
    return []


def _size(curve: Curve, resource: float) -> float:
    """Of the marginal return, kept finite for the search."""
    return min(abs(float(curve.derivative(resource))), sys.float_info.max)
