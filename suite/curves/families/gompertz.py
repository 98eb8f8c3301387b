"""Gompertz: a sigmoid whose growth slows by a constant factor per unit of resource."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from suite.curves.families.curve import ANY, POSITIVE, Array, Curve, Interval
from suite.curves.families.stable import columns, spread


@dataclass(frozen=True)
class Gompertz(Curve):
    """``alpha * exp(-beta * exp(-gamma * r))``: from ``alpha / e^beta`` at no resource to ``alpha``.

    Its value at the inflection is ``alpha / e`` whatever ``beta``, which only shifts the curve along the resource.
    """

    alpha: float
    beta: float
    gamma: float

    name = "gompertz"
    source = "Gompertz, On the nature of the function expressive of the law of human mortality, Phil. Trans. 115 (1825)"
    units: ClassVar = {"alpha": "Q", "beta": "1", "gamma": "R^-1"}
    bounds: ClassVar = {"alpha": ANY, "beta": POSITIVE, "gamma": POSITIVE}
    linear = ("alpha",)

    @classmethod
    def shapes(cls, resource: Array, **nonlinear: Any) -> Array:
        return columns(np.exp(-nonlinear["beta"] * np.exp(-nonlinear["gamma"] * resource)))

    @classmethod
    def starts(cls, resource: Array) -> dict[str, Array]:
        return {"beta": np.geomspace(0.05, 3000, 14), "gamma": 1 / spread(resource, 0.1, 10, 20)}

    def derivative(self, resource: ArrayLike) -> Array:
        u = self._gap(resource)
        return np.asarray(self.alpha * self.gamma * u * np.exp(-u))

    def second_derivative(self, resource: ArrayLike) -> Array:
        u = self._gap(resource)
        return np.asarray(self.gamma * (self.alpha * self.gamma * u * np.exp(-u)) * (u - 1))

    def inverse(self, quality: ArrayLike) -> Array:
        return self.solved(quality, lambda q: np.log(self.beta / -_log_ratio(q, self.alpha)) / self.gamma)

    @property
    def reached(self) -> Interval:
        start = self.alpha * math.exp(-self.beta)
        return min(start, self.alpha), max(start, self.alpha)

    @property
    def asymptote(self) -> float:
        return self.alpha

    @property
    def inflection(self) -> float | None:
        """``ln(beta) / gamma``."""
        return math.log(self.beta) / self.gamma if self.beta > 1 else None

    def _gap(self, resource: ArrayLike) -> Array:
        """``ln(alpha / value)`` [...]."""
        return np.asarray(self.beta * np.exp(-self.gamma * self.checked(resource)))


def _log_ratio(q: Array, alpha: float) -> Array:
    """``ln(q / alpha)`` [...], also where the two are nearly equal."""
    return np.where(q / alpha > 0.5, np.log1p((q - alpha) / alpha), np.log(q / alpha))  # noqa: PLR2004
