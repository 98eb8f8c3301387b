"""Hill's equation: saturation with a parameter for the steepness."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from suite.curves.families.curve import ANY, EXPONENT, POSITIVE, Array
from suite.curves.families.growth import FromNothing, Growth
from suite.curves.families.stable import exp, log, sigmoid, softplus, spread, times


class HalfWay(Growth):
    """What Hill's families share: ``r^n / (half^n + r^n)``, with an inflection where ``n > 1``."""

    half: float
    n: float

    @classmethod
    def share(cls, resource: Array, **nonlinear: Any) -> tuple[Array, Array]:
        return sigmoid(nonlinear["n"] * log(resource / nonlinear["half"]))

    @classmethod
    def slopes(cls, resource: Array, **nonlinear: Any) -> tuple[Array, Array]:
        """With ``y = r / half``: ``n/half y^(n-1) / (1+y^n)^2``.

        The second is ``n/half^2 ((n-1) y^(n-2) - (n+1) y^(2n-2)) / (1+y^n)^3``.
        """
        half, n = nonlinear["half"], nonlinear["n"]
        ln = log(resource / half)
        below = softplus(n * ln)
        first = exp(times(n - 1, ln) - 2 * below)
        bend = times(n - 1, exp(times(n - 2, ln) - 3 * below)) - (n + 1) * exp(times(2 * n - 2, ln) - 3 * below)
        return n / half * first, n / half**2 * bend

    @classmethod
    def quantile(cls, share: Array, left: Array, **nonlinear: Any) -> Array:
        return np.asarray(nonlinear["half"] * np.exp((np.log(share) - np.log(left)) / nonlinear["n"]))

    @classmethod
    def starts(cls, resource: Array) -> dict[str, Array]:
        return {"half": spread(resource, 0.1, 30, 24), "n": np.array([0.2, 0.3, 0.45, 0.7, 1.0, 1.5, 2.2, 3.3, 5.0])}

    @property
    def inflection(self) -> float | None:
        """``half * ((n - 1) / (n + 1)) ** (1 / n)``."""
        return self.half * ((self.n - 1) / (self.n + 1)) ** (1 / self.n) if self.n > 1 else None


@dataclass(frozen=True)
class Hill(FromNothing, HalfWay):
    """``top * r^n / (half^n + r^n)``: half of ``top`` at ``half``."""

    top: float
    half: float
    n: float

    name = "hill"
    source = "Hill, The possible effects of the aggregation of the molecules of haemoglobin, J. Physiology 40 (1910)"
    units: ClassVar = {"top": "Q", "half": "R", "n": "1"}
    bounds: ClassVar = {"top": ANY, "half": POSITIVE, "n": EXPONENT}
