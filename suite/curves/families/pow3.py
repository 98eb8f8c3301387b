"""Power law with an offset, the irreducible loss of scaling laws."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from suite.curves.families.curve import ANY, EXPONENT, Array, Curve, Interval
from suite.curves.families.stable import columns, power


@dataclass(frozen=True)
class Pow3(Curve):
    """``a - b * r^-c``: a quality that rises to ``a`` if ``b > 0``, a loss that falls to ``a`` if ``b < 0``."""

    a: float
    b: float
    c: float

    name = "pow3"
    source = "Viering and Loog, The shape of learning curves: a review, IEEE TPAMI 45 (2023), table 1"
    units: ClassVar = {"a": "Q", "b": "Q R^c", "c": "1"}
    bounds: ClassVar = {"a": ANY, "b": ANY, "c": EXPONENT}
    linear = ("a", "b")
    open_below = True

    @classmethod
    def shapes(cls, resource: Array, **nonlinear: Any) -> Array:
        return columns(1.0, -power(resource, -nonlinear["c"]))

    @classmethod
    def starts(cls, resource: Array) -> dict[str, Array]:  # noqa: ARG003  # an exponent has no unit
        return {"c": np.geomspace(0.02, 5, 30)}

    def derivative(self, resource: ArrayLike) -> Array:
        return np.asarray(self.b * self.c * power(self.checked(resource), -self.c - 1))

    def second_derivative(self, resource: ArrayLike) -> Array:
        return np.asarray(-self.b * self.c * (self.c + 1) * power(self.checked(resource), -self.c - 2))

    def inverse(self, quality: ArrayLike) -> Array:
        return self.solved(quality, lambda q: np.exp(np.log(self.b / (self.a - q)) / self.c))

    @property
    def reached(self) -> Interval:
        if self.b == 0:
            return self.a, self.a
        return (-math.inf, self.a) if self.b > 0 else (self.a, math.inf)

    @property
    def asymptote(self) -> float:
        return self.a
