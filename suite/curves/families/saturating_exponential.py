"""Saturating exponential: each further resource closes the same share of the gap to the top."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from suite.curves.families.curve import ANY, POSITIVE, Array, Curve, CurveError, Interval


@dataclass(frozen=True)
class SaturatingExponential(Curve):
    """``top * (1 - exp(-r / scale))``: concave everywhere, from 0 at no resource."""

    top: float
    scale: float

    name = "saturating_exponential"
    source = "the article's section 3.1; Mitscherlich's law of diminishing returns (1909)"
    units = {"top": "Q", "scale": "R"}
    bounds = {"top": ANY, "scale": POSITIVE}
    linear = ("top",)

    @classmethod
    def shapes(cls, resource: Array, **nonlinear: Any) -> Array:
        return np.asarray(-np.expm1(-resource / nonlinear["scale"]))[..., None]  # 1 - exp() is 0 below r/scale = 1e-16

    @classmethod
    def starts(cls, resource: Array) -> dict[str, Array]:
        positive = resource[resource > 0]
        return {"scale": np.geomspace(0.1 * positive.min(), 30 * positive.max(), 24)}

    def derivative(self, resource: ArrayLike) -> Array:
        return np.asarray(self.top / self.scale * np.exp(-self.checked(resource) / self.scale))

    def second_derivative(self, resource: ArrayLike) -> Array:
        return -self.derivative(resource) / self.scale

    def inverse(self, quality: ArrayLike) -> Array:
        q = np.asarray(quality, dtype=np.float64)
        low, high = self.reached
        if not np.all((q >= low) & (q <= high) & (q != self.top)):
            raise CurveError(f"{self.name}: only qualities from 0 to below {self.top:g} are reached, got {quality!r}")
        return np.asarray(-self.scale * np.log1p(-q / self.top))

    @property
    def reached(self) -> Interval:
        return min(0.0, self.top), max(0.0, self.top)

    @property
    def asymptote(self) -> float:
        return self.top
