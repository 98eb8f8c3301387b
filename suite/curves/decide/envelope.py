"""The least concave curve above another one: what a budget could bring at best.

Udell and Boyd, Maximizing a sum of sigmoids (2013).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from suite.curves.decide.benefit import Benefit
from suite.curves.families.curve import Array, Interval

EXACT = 1e-13
TABLE = np.concatenate([[0.0], np.geomspace(1e-6, 1.0, 64)])
HUGE = float(np.finfo(float).max)


@dataclass(frozen=True)
class Envelope(ABC):
    """A concave function that is nowhere below a benefit on [low, high], and equals it at both ends."""

    benefit: Benefit
    low: float
    high: float

    @abstractmethod
    def __call__(self, cost: float) -> float: ...

    @abstractmethod
    def demand(self, price: float) -> float:
        """The most that is worth spending where a unit must bring ``price``."""

    def cut(self, spent: float) -> float:
        """Where to split the range so that two closer envelopes come about."""
        return spent


def envelope(benefit: Benefit, low: float, high: float) -> Envelope:
    """Of a benefit on [low, high]: the least one where it is convex first and concave then, else one near by."""
    parts = _inside(benefit.concave, low, high)
    if not parts:
        return Chord(benefit, low, high, high)
    if len(parts) == 1 and parts[0][1] >= high:
        return Chord(benefit, low, high, _touch(benefit, low, high, parts[0][0]))
    return Hull(benefit, low, high)


def _inside(parts: tuple[Interval, ...], low: float, high: float) -> list[Interval]:
    return [(max(a, low), min(b, high)) for a, b in parts if max(a, low) < min(b, high)]


@dataclass(frozen=True)
class Chord(Envelope):
    """A chord from ``low`` to ``touch``, from there on the benefit itself, which is concave."""

    touch: float

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
        if self.high <= self.low or self.chord < price or self.chord <= 0:
            return self.low
        if self.touch >= self.high or self._ends[1] >= price:
            return self.high
        if self._ends[0] <= price:
            return self.touch
        return root(lambda cost: min(self.benefit.slope(cost), HUGE) - price, *self._bracket(price))

    @cached_property
    def _table(self) -> tuple[Array, Array]:
        """Costs and slopes [65] of the concave part: where to look for a slope."""
        costs = self.touch + (self.high - self.touch) * TABLE
        return costs, self.benefit.slopes(costs)

    def _bracket(self, price: float) -> Interval:
        """Two neighbouring costs of the table with slopes above and below ``price``."""
        costs, slopes = self._table
        after = int(np.argmax(slopes < price)) if slopes[-1] < price else len(slopes) - 1
        return float(costs[max(0, after - 1)]), float(costs[after])


@dataclass(frozen=True)
class Hull(Envelope):
    """The hull of the tangents of every concave part: near the least envelope of any sequence of parts.

    Between two points of a concave part the benefit is below both tangents, so below their intersection. On a convex
    part it is below the chord. Splitting at the ends of the parts leaves exact envelopes.
    """

    @cached_property
    def corners(self) -> tuple[Array, Array]:
        """Costs [n], ascending, and the hull's values [n]."""
        xs, ys = [self.low, self.high], [self.benefit(self.low), self.benefit(self.high)]
        for begin, end in _inside(self.benefit.concave, self.low, self.high):
            x, y = _tangents(self.benefit, begin + (end - begin) * TABLE)
            xs += x
            ys += y
        order = np.lexsort((np.array(ys), np.array(xs)))
        return _upper(np.array(xs)[order], np.array(ys)[order])

    def __call__(self, cost: float) -> float:
        return float(np.interp(cost, *self.corners))

    def demand(self, price: float) -> float:
        x, y = self.corners
        rises = np.diff(y) / np.diff(x)
        worth = np.flatnonzero(rises >= max(price, np.finfo(float).tiny))
        return float(x[worth[-1] + 1]) if len(worth) else self.low

    def cut(self, spent: float) -> float:
        ends = [end for part in self.benefit.concave for end in part if self.low < end < self.high]
        return min(ends, key=lambda end: abs(end - spent))


def _tangents(benefit: Benefit, costs: Array) -> tuple[list[float], list[float]]:
    """The points at ``costs`` [n] of a concave part, and where the tangents of neighbours meet."""
    values = np.array([benefit(cost) for cost in costs])
    slopes = np.minimum(benefit.slopes(costs), HUGE)
    run, rise, bend = np.diff(costs), np.diff(values), slopes[:-1] - slopes[1:]
    share = np.divide(rise - slopes[1:] * run, bend * run, out=np.zeros_like(run), where=bend * run > 0)
    middle = costs[:-1] + np.clip(share, 0, 1) * run
    meet = values[1:] - slopes[1:] * (costs[1:] - middle)
    return [*costs.tolist(), *middle.tolist()], [*values.tolist(), *meet.tolist()]


def _upper(x: Array, y: Array) -> tuple[Array, Array]:
    """The upper hull of points sorted by ``x``, then ``y`` (Andrew's monotone chain)."""
    kept: list[int] = []
    for i in range(len(x)):
        while kept and x[kept[-1]] == x[i]:
            kept.pop()
        while len(kept) > 1 and _below(x, y, kept[-2], kept[-1], i):
            kept.pop()
        kept.append(i)
    return x[kept], y[kept]


def _below(x: Array, y: Array, a: int, b: int, c: int) -> bool:
    """Whether the middle one of three points is not above the line through the others."""
    return bool((y[b] - y[a]) * (x[c] - x[a]) <= (y[c] - y[a]) * (x[b] - x[a]))


def _touch(benefit: Benefit, low: float, high: float, turn: float) -> float:
    """Where the line from ``low`` touches the part from ``turn`` on, which is concave; ``high`` if not before."""
    if turn <= low:
        return low

    def excess(cost: float) -> float:
        return benefit(cost) - benefit(low) - benefit.slope(cost) * (cost - low)

    if excess(high) <= 0:
        return high
    return root(excess, turn, high) if excess(turn) < 0 else turn


def root(function: Callable[[float], float], low: float, high: float) -> float:
    """Where a function changes its sign between ``low`` and ``high``; the end nearer to it where it does not."""
    from scipy.optimize import brentq

    ends = function(low), function(high)
    if ends[0] * ends[1] >= 0:
        return low if abs(ends[0]) <= abs(ends[1]) else high
    return float(brentq(function, low, high, xtol=EXACT * max(high, 1e-300), rtol=1e-14))
