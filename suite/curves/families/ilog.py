"""Inverse logarithm: the slowest approach to a limit among the common families."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike

from suite.curves.families.curve import ANY, Array, Curve, CurveError, Interval
from suite.curves.families.stable import columns


@dataclass(frozen=True)
class InverseLogarithm(Curve):
    """``a - b / ln(r)`` for a count ``r > 1``, such as training samples: another unit would be another curve."""

    a: float
    b: float

    name = "ilog"
    source = "Viering and Loog, The shape of learning curves: a review, IEEE TPAMI 45 (2023), table 1 (ilog2)"
    units: ClassVar = {"a": "Q", "b": "Q"}
    bounds: ClassVar = {"a": ANY, "b": ANY}
    linear = ("a", "b")
    domain = (1.0, math.inf)
    open_below = True
    scale_free = False

    @classmethod
    def shapes(cls, resource: Array, **nonlinear: Any) -> Array:  # noqa: ARG003  # linear altogether
        return columns(1.0, -1 / np.log(resource))

    @classmethod
    def starts(cls, resource: Array) -> dict[str, Array]:  # noqa: ARG003  # linear altogether
        return {}

    def derivative(self, resource: ArrayLike) -> Array:
        r = self.checked(resource)
        return np.asarray(self.b / (r * np.log(r) ** 2))

    def second_derivative(self, resource: ArrayLike) -> Array:
        r = self.checked(resource)
        ln = np.log(r)
        return np.asarray(-self.b / r**2 * (1 + 2 / ln) / ln**2)

    def inverse(self, quality: ArrayLike) -> Array:
        return self.solved(quality, lambda q: np.exp(self.b / (self.a - q)))

    def rescaled(self, *, resource: float = 1.0, quality: float = 1.0) -> Self:
        """The same curve in another unit of quality. Raises `CurveError` for another unit of the resource."""
        if resource != 1:
            raise CurveError(f"{self.name}: the resource is a count; no curve of this family has it in another unit")
        return self.replace(a=quality * self.a, b=quality * self.b)

    @property
    def reached(self) -> Interval:
        if self.b == 0:
            return self.a, self.a
        return (-math.inf, self.a) if self.b > 0 else (self.a, math.inf)

    @property
    def asymptote(self) -> float:
        return self.a
