"""Weibull's growth: a stretched (k < 1) or compressed (k > 1) exponential."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from suite.curves.families.curve import ANY, EXPONENT, POSITIVE, Array
from suite.curves.families.growth import FromNothing, Growth
from suite.curves.families.stable import exp, log, power, spread, times


class Stretched(Growth):
    """What Weibull's families share: ``1 - exp(-(r / scale) ** k)``, with an inflection where ``k > 1``."""

    scale: float
    k: float

    @classmethod
    def share(cls, resource: Array, **nonlinear: Any) -> tuple[Array, Array]:
        z = power(resource / nonlinear["scale"], nonlinear["k"])
        return -np.expm1(-z), np.exp(-z)

    @classmethod
    def slopes(cls, resource: Array, **nonlinear: Any) -> tuple[Array, Array]:
        """With ``y = r / s``: ``k/s y^(k-1) e^(-y^k)`` and ``k/s^2 e^(-y^k) ((k-1) y^(k-2) - k y^(2k-2))``."""
        scale, k = nonlinear["scale"], nonlinear["k"]
        ln, z = log(resource / scale), power(resource / scale, k)
        first = exp(times(k - 1, ln) - z)
        bend = times(k - 1, exp(times(k - 2, ln) - z)) - k * exp(times(2 * k - 2, ln) - z)
        return k / scale * first, k / scale**2 * bend

    @classmethod
    def quantile(cls, share: Array, left: Array, **nonlinear: Any) -> Array:
        z = -np.where(share < left, np.log1p(-share), np.log(left))
        return np.asarray(nonlinear["scale"] * z ** (1 / nonlinear["k"]))

    @classmethod
    def starts(cls, resource: Array) -> dict[str, Array]:
        return {"scale": spread(resource, 0.1, 30, 24), "k": np.array([0.2, 0.3, 0.45, 0.7, 1.0, 1.5, 2.2, 3.3, 5.0])}

    @property
    def inflection(self) -> float | None:
        """``scale * ((k - 1) / k) ** (1 / k)``."""
        return self.scale * ((self.k - 1) / self.k) ** (1 / self.k) if self.k > 1 else None


@dataclass(frozen=True)
class Weibull(FromNothing, Stretched):
    """``top * (1 - exp(-(r / scale) ** k))``: from 0 at no resource."""

    top: float
    scale: float
    k: float

    name = "wbl3"
    source = "Weibull, A statistical distribution function of wide applicability, J. Applied Mechanics 18 (1951)"
    units: ClassVar = {"top": "Q", "scale": "R", "k": "1"}
    bounds: ClassVar = {"top": ANY, "scale": POSITIVE, "k": EXPONENT}
