"""Logarithm: each doubling of the resource brings the same gain."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike

from suite.curves.families.curve import ANY, Array, Curve, Interval
from suite.curves.families.stable import columns


@dataclass(frozen=True)
class Logarithm(Curve):
    """``a + b * ln(r)``: ``a`` at a resource of 1, without a limit."""

    a: float
    b: float

    name = "logarithm"
    source = "Viering and Loog, The shape of learning curves: a review, IEEE TPAMI 45 (2023), table 1 (log2)"
    units: ClassVar = {"a": "Q", "b": "Q"}
    bounds: ClassVar = {"a": ANY, "b": ANY}
    linear = ("a", "b")
    open_below = True

    @classmethod
    def shapes(cls, resource: Array, **nonlinear: Any) -> Array:  # noqa: ARG003  # linear altogether
        return columns(1.0, np.log(resource))

    @classmethod
    def starts(cls, resource: Array) -> dict[str, Array]:  # noqa: ARG003  # linear altogether
        return {}

    def derivative(self, resource: ArrayLike) -> Array:
        return np.asarray(self.b / self.checked(resource))

    def second_derivative(self, resource: ArrayLike) -> Array:
        return np.asarray(-self.b / self.checked(resource) ** 2)

    def inverse(self, quality: ArrayLike) -> Array:
        return self.solved(quality, lambda q: np.exp((q - self.a) / self.b))

    def rescaled(self, *, resource: float = 1.0, quality: float = 1.0) -> Self:
        """The same curve in other units: that of the resource shifts ``a`` by ``b`` times its logarithm."""
        return self.replace(a=quality * (self.a - self.b * math.log(resource)), b=quality * self.b)

    @property
    def reached(self) -> Interval:
        return (-math.inf, math.inf) if self.b else (self.a, self.a)

    @property
    def asymptote(self) -> float:
        return math.copysign(math.inf, self.b) if self.b else self.a
