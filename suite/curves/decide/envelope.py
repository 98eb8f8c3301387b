"""The least concave curve above one that is convex at first: what a budget could bring at best.

Udell and Boyd, Maximizing a sum of sigmoids (2013).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from suite.curves.families.curve import Array, Curve

EXACT = 1e-13
TABLE = np.concatenate([[0.0], np.geomspace(1e-6, 1.0, 64)])


@dataclass(frozen=True)
class Benefit:
    """What spending on one curve brings: its quality, or its loss with the other sign, by cost instead of resource."""

    curve: Curve
    sign: float
    price: float

    floor: float
    """What is spent at least where a curve has no value at nothing, as a power law of losses."""

    def __call__(self, cost: float) -> float:
        return self.sign * float(self.curve(cost / self.price))

    def slope(self, cost: float) -> float:
        """What a further unit of cost brings."""
        return self.sign * float(self.curve.derivative(cost / self.price)) / self.price

    @property
    def least(self) -> float:
        """The cost below which the curve is not defined."""
        return self.curve.domain[0] * self.price + (self.floor if self.curve.open_below else 0.0)

    @property
    def turn(self) -> float:
        """The cost at which the benefit turns from convex to concave."""
        return self.least if self.curve.inflection is None else self.curve.inflection * self.price


@dataclass(frozen=True)
class Envelope:
    """Of a benefit on [low, high]: a chord from ``low`` to ``touch``, from there on the benefit itself."""

    benefit: Benefit
    low: float
    high: float
    touch: float

    @classmethod
    def of(cls, benefit: Benefit, low: float, high: float) -> Envelope:
        """The least concave function above ``benefit`` on [low, high]."""
        return cls(benefit, low, high, _touch(benefit, low, high))

    @cached_property
    def chord(self) -> float:
        """Slope of the chord; where there is none, of the benefit at its beginning."""
        if self.touch <= self.low:
            return self.benefit.slope(self.low)
        return (self.benefit(self.touch) - self.benefit(self.low)) / (self.touch - self.low)

    def __call__(self, cost: float) -> float:
        if self.low < cost < self.touch:
            return self.benefit(self.low) + self.chord * (cost - self.low)
        return self.benefit(cost)

    @cached_property
    def _ends(self) -> tuple[float, float]:
        """Slopes where the concave part begins and ends."""
        return self.benefit.slope(self.touch), self.benefit.slope(self.high)

    def demand(self, price: float) -> float:
        """The most that is worth spending where a unit must bring ``price``."""
        if self.high <= self.low or self.chord < price:
            return self.low
        if self.touch >= self.high or self._ends[1] >= price:
            return self.high
        if self._ends[0] <= price:
            return self.touch
        return root(lambda cost: self.benefit.slope(cost) - price, *self._bracket(price))

    @cached_property
    def _table(self) -> tuple[Array, Array]:
        """Costs and slopes [65] of the concave part: where to look for a slope."""
        costs = self.touch + (self.high - self.touch) * TABLE
        curve = self.benefit.curve.derivative(costs / self.benefit.price)
        return costs, np.asarray(self.benefit.sign * curve / self.benefit.price)

    def _bracket(self, price: float) -> tuple[float, float]:
        """Two neighbouring costs of the table with slopes above and below ``price``."""
        costs, slopes = self._table
        after = int(np.argmax(slopes < price)) if slopes[-1] < price else len(slopes) - 1
        return float(costs[max(0, after - 1)]), float(costs[after])


def _touch(benefit: Benefit, low: float, high: float) -> float:
    """Where the line from ``low`` touches the concave part from above; ``high`` where it does not before."""
    turn = benefit.turn
    if turn <= low:
        return low
    if turn >= high:
        return high

    def excess(cost: float) -> float:
        return benefit(cost) - benefit(low) - benefit.slope(cost) * (cost - low)

    if excess(high) <= 0:
        return high
    return root(excess, turn, high) if excess(turn) < 0 else turn


def root(function: Callable[[float], float], low: float, high: float) -> float:
    """Where a function changes its sign between ``low`` and ``high``."""
    from scipy.optimize import brentq

    return float(brentq(function, low, high, xtol=EXACT * max(high, 1e-300), rtol=1e-14))
