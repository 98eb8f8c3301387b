"""Gompertz with an offset: a sigmoid from any start to any end, so that it can fall as well."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from suite.curves.families.curve import ANY, POSITIVE, Array, Curve, Interval
from suite.curves.families.stable import columns, spread


@dataclass(frozen=True)
class Gompertz4(Curve):
    """``a - b * (1 - exp(-beta * exp(-gamma * r)))``: from ``a - b (1 - e^-beta)`` at no resource to ``a``.

    With ``a = b`` it is the Gompertz of three parameters; with ``b < 0`` a loss that falls to ``a``.
    """

    a: float
    b: float
    beta: float
    gamma: float

    name = "gompertz4"
    source = "Gompertz 1825 with an offset: Winsor, The Gompertz curve as a growth curve, PNAS 18 (1932)"
    units: ClassVar = {"a": "Q", "b": "Q", "beta": "1", "gamma": "R^-1"}
    bounds: ClassVar = {"a": ANY, "b": ANY, "beta": POSITIVE, "gamma": POSITIVE}
    linear = ("a", "b")

    @classmethod
    def shapes(cls, resource: Array, **nonlinear: Any) -> Array:
        return columns(1.0, np.expm1(-nonlinear["beta"] * np.exp(-nonlinear["gamma"] * resource)))

    @classmethod
    def starts(cls, resource: Array) -> dict[str, Array]:
        return {"beta": np.geomspace(0.05, 3000, 14), "gamma": 1 / spread(resource, 0.1, 10, 20)}

    def derivative(self, resource: ArrayLike) -> Array:
        u = self._gap(resource)
        return np.asarray(self.b * self.gamma * u * np.exp(-u))

    def second_derivative(self, resource: ArrayLike) -> Array:
        u = self._gap(resource)
        return np.asarray(self.gamma * (self.b * self.gamma * u * np.exp(-u)) * (u - 1))

    def inverse(self, quality: ArrayLike) -> Array:
        return self.solved(quality, lambda q: np.log(self.beta / -np.log1p((q - self.a) / self.b)) / self.gamma)

    @property
    def reached(self) -> Interval:
        start = self.a + self.b * math.expm1(-self.beta)
        return min(start, self.a), max(start, self.a)

    @property
    def asymptote(self) -> float:
        return self.a

    @property
    def inflection(self) -> float | None:
        """``ln(beta) / gamma``."""
        return math.log(self.beta) / self.gamma if self.beta > 1 else None

    def _gap(self, resource: ArrayLike) -> Array:
        """``beta * exp(-gamma r)`` [...]."""
        return np.asarray(self.beta * np.exp(-self.gamma * self.checked(resource)))
