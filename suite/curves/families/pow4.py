"""Power law with an offset and a shift: it is finite at no resource."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from suite.curves.families.curve import ANY, EXPONENT, POSITIVE, Array, Curve, Interval
from suite.curves.families.stable import columns, power, spread


@dataclass(frozen=True)
class Pow4(Curve):
    """``a - b * (r + d)^-c``: from ``a - b / d^c`` at no resource to ``a``."""

    a: float
    b: float
    c: float
    d: float

    name = "pow4"
    source = "Viering and Loog, The shape of learning curves: a review, IEEE TPAMI 45 (2023), table 1"
    units: ClassVar = {"a": "Q", "b": "Q R^c", "c": "1", "d": "R"}
    bounds: ClassVar = {"a": ANY, "b": ANY, "c": EXPONENT, "d": POSITIVE}
    linear = ("a", "b")

    @classmethod
    def shapes(cls, resource: Array, **nonlinear: Any) -> Array:
        return columns(1.0, -power(resource + nonlinear["d"], -nonlinear["c"]))

    @classmethod
    def starts(cls, resource: Array) -> dict[str, Array]:
        return {"c": np.geomspace(0.02, 5, 18), "d": spread(resource, 0.01, 10, 16)}

    def derivative(self, resource: ArrayLike) -> Array:
        return np.asarray(self.b * self.c * power(self.checked(resource) + self.d, -self.c - 1))

    def second_derivative(self, resource: ArrayLike) -> Array:
        return np.asarray(-self.b * self.c * (self.c + 1) * power(self.checked(resource) + self.d, -self.c - 2))

    def inverse(self, quality: ArrayLike) -> Array:
        """``d * (exp(ln(b / (a - q)) / c - ln d) - 1)``: no difference of two nearly equal resources."""
        return self.solved(
            quality, lambda q: self.d * np.expm1(np.log(self.b / (self.a - q)) / self.c - math.log(self.d))
        )

    @property
    def reached(self) -> Interval:
        start = self.a - self.b * float(power(self.d, -self.c))
        return min(start, self.a), max(start, self.a)

    @property
    def asymptote(self) -> float:
        return self.a
