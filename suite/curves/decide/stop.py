"""When to stop: the gain of the next step against its price."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from suite.curves.decide.gains import Estimate, step_gain
from suite.curves.families.curve import Curve, CurveError
from suite.curves.fitting.result import LEVEL, Fit


@dataclass(frozen=True)
class StopRule:
    """The next step's gain and what it must bring; both in Q."""

    gain: Estimate
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
    return StopRule(gain if _rises(fit.curve, at) else _turned(gain), price * step)


def _rises(curve: Curve, at: float) -> bool:
    return bool(curve(2 * at + 1) >= curve(at))


def _turned(gain: Estimate) -> Estimate:
    return Estimate(-gain.value, -gain.high, -gain.low, gain.level, gain.unit)


@dataclass(frozen=True)
class Spending:
    """The resource that brings the most after its price, and what remains: quality less price, in Q."""

    resource: float
    net: float


def best_spending(curve: Curve, price: float, *, up_to: float) -> Spending:
    """The best of all resources up to ``up_to`` when a unit costs as much as ``price`` of quality (Q/R).

    Compares the ends with every point at which the marginal return falls through the price. Where it rises through the
    price is a minimum, and where the curve is convex at first, spending nothing can beat the only stationary point.
    """
    if not price > 0:
        raise CurveError(f"price must be positive, got {price!r}")
    least = curve.domain[0]
    candidates = [least, up_to, *_stationary(curve, price, least, up_to)]
    net = [float(curve(r)) - price * r for r in candidates]
    best = int(np.argmax(net))
    return Spending(candidates[best], net[best])


def _stationary(curve: Curve, price: float, least: float, most: float) -> list[float]:
    """Where the marginal return falls through the price, in the parts of the domain in which it falls."""
    from scipy.optimize import brentq

    found = []
    for low, high in curve.diminishing:
        begin, end = max(low, least), min(high, most)
        if begin < end and curve.derivative(begin) > price > curve.derivative(end):
            found.append(float(brentq(lambda r: float(curve.derivative(r)) - price, begin, end, xtol=1e-12)))
    return found
