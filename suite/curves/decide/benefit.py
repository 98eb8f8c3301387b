"""What spending on one curve brings, and where it is concave: the preconditions of a proof, which are checked."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from suite.curves.families.curve import Array, Curve, Interval

LOOKED_AT = np.unique(np.concatenate([np.geomspace(1e-9, 1.0, 257), np.linspace(0, 1, 257)[1:]]))
"""Shares of what can be spent, at which a curve's declared shape is checked."""
ROUNDING = 1e-9  # of neighbouring marginal returns
TINY = 1e-280  # below, what underflows cannot be told from 0
HALF = float(np.finfo(float).max) / 2  # an infinite marginal return, whose differences are finite
EDGE = 1e-6  # of a resource around the end of a declared interval, where the shape may be either


@dataclass(frozen=True)
class Benefit:
    """What spending on one curve brings: its quality, or its loss with the other sign, by cost instead of resource."""

    curve: Curve
    sign: float
    price: float

    floor: float
    """What is spent at least where a curve has no value at nothing, as a power law of losses."""
    most: float
    """What can be spent at most."""

    def __call__(self, cost: float) -> float:
        return self.sign * float(self.curve(cost / self.price))

    def slope(self, cost: float) -> float:
        """What a further unit of cost brings."""
        return self.sign * float(self.curve.derivative(cost / self.price)) / self.price

    def slopes(self, costs: Array) -> Array:
        """The same at many costs [n]."""
        return np.asarray(self.sign * self.curve.derivative(costs / self.price) / self.price)

    @property
    def least(self) -> float:
        """The cost below which the curve is not defined."""
        return self.curve.domain[0] * self.price + (self.floor if self.curve.open_below else 0.0)

    @property
    def lost(self) -> float:
        """What the least cost brings less than ever smaller ones would: more than 0 where a benefit falls."""
        return max(0.0, self.sign * self.curve.start - self(self.least))

    @cached_property
    def concave(self) -> tuple[Interval, ...]:
        """The costs between which a further unit brings less and less; between the intervals it brings more and more.

        As the curve's family declares it, or as its marginal returns show where those contradict the family.
        """
        return self._declared if self.unproven is None else self._seen

    @cached_property
    def unproven(self) -> str | None:
        """Why no allocation with this curve is proven the best; None where its declared shape was confirmed."""
        costs, slopes = self._looked_at
        if (slopes > TINY).any() and (slopes < -TINY).any():
            return f"{self.curve} is not monotone"
        middle, change = (costs[1:] + costs[:-1]) / 2, np.diff(slopes)
        slack = ROUNDING * np.abs(slopes[1:]) + ROUNDING * np.abs(slopes[:-1]) + TINY
        inside, edge = (np.zeros(len(middle), dtype=bool) for _ in range(2))
        for low, high in self._declared:
            inside |= (middle > low) & (middle < high)
            for end in (low, high):
                edge |= (costs[:-1] <= end * (1 + EDGE)) & (costs[1:] >= end * (1 - EDGE))
        wrong = ~edge & np.where(inside, change > slack, change < -slack)
        if not wrong.any():
            return None
        at = middle[int(np.argmax(wrong))] / self.price
        return f"marginal returns of {self.curve} do not turn where its family says, see a resource of {at:.4g}"

    @property
    def _declared(self) -> tuple[Interval, ...]:
        """The family's own parts: of shrinking marginal returns if the benefit rises, else of growing ones."""
        parts = self.curve.diminishing
        if (self.sign > 0) != self.curve.rising:
            ends = [self.curve.domain[0], *(end for part in parts for end in part), self.curve.domain[1]]
            parts = tuple((low, high) for low, high in zip(ends[::2], ends[1::2], strict=True) if low < high)
        return tuple((low * self.price, high * self.price) for low, high in parts)

    @cached_property
    def _looked_at(self) -> tuple[Array, Array]:
        """Costs [n] and what a further unit brings there [n]."""
        costs = np.unique(np.clip(self.least + (self.most - self.least) * LOOKED_AT, self.least, self.most))
        return costs, np.clip(self.slopes(costs), -HALF, HALF)

    @cached_property
    def _seen(self) -> tuple[Interval, ...]:
        """Runs of costs over which marginal returns do not grow."""
        costs, slopes = self._looked_at
        falls = np.diff(slopes) <= 0
        begins = np.flatnonzero(falls & ~np.concatenate([[False], falls[:-1]]))
        ends = np.flatnonzero(falls & ~np.concatenate([falls[1:], [False]])) + 1
        found = [(float(costs[i]), float(costs[j])) for i, j in zip(begins, ends, strict=True)]
        return tuple((low, math.inf if high == costs[-1] else high) for low, high in found)
