"""Power law without an offset."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from suite.curves.families.curve import ANY, Array, Curve, Interval
from suite.curves.families.stable import columns, power


@dataclass(frozen=True)
class Pow2(Curve):
    """``a * r^b``: a loss that falls to 0 if ``b < 0``, a quality without a limit if ``b > 0``."""

    a: float
    b: float

    name = "pow2"
    source = "Hestness et al., Deep learning scaling is predictable, empirically, arXiv:1712.00409 (2017)"
    units: ClassVar = {"a": "Q R^-b", "b": "1"}
    bounds: ClassVar = {"a": ANY, "b": (-100.0, 100.0)}
    linear = ("a",)
    open_below = True

    @classmethod
    def shapes(cls, resource: Array, **nonlinear: Any) -> Array:
        return columns(power(resource, nonlinear["b"]))

    @classmethod
    def starts(cls, resource: Array) -> dict[str, Array]:  # noqa: ARG003  # an exponent has no unit
        exponents = np.geomspace(0.02, 5, 24)
        return {"b": np.concatenate([-exponents[::-1], exponents])}

    def derivative(self, resource: ArrayLike) -> Array:
        return np.asarray(self.a * self.b * power(self.checked(resource), self.b - 1))

    def second_derivative(self, resource: ArrayLike) -> Array:
        return np.asarray(self.a * self.b * (self.b - 1) * power(self.checked(resource), self.b - 2))

    def inverse(self, quality: ArrayLike) -> Array:
        return self.solved(quality, lambda q: np.exp(np.log(q / self.a) / self.b))

    @property
    def reached(self) -> Interval:
        if self.a == 0 or self.b == 0:
            return self.a, self.a
        return (0.0, math.inf) if self.a > 0 else (-math.inf, 0.0)

    @property
    def asymptote(self) -> float:
        if self.a == 0 or self.b == 0:
            return self.a
        return math.copysign(math.inf, self.a) if self.b > 0 else 0.0

    @property
    def diminishing(self) -> tuple[Interval, ...]:
        return (self.domain,) if self.b <= 1 else ()
