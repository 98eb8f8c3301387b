"""Saturating exponential with an offset: quality need not start at 0."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from suite.curves.families.curve import ANY, POSITIVE, Array
from suite.curves.families.saturating_exponential import Exponential
from suite.curves.families.stable import columns


@dataclass(frozen=True)
class Exp3(Exponential):
    """``a - b * exp(-r / scale)``: from ``a - b`` at no resource to ``a``."""

    a: float
    b: float
    scale: float

    name = "exp3"
    source = "Viering and Loog, The shape of learning curves: a review, IEEE TPAMI 45 (2023), table 1"
    units: ClassVar = {"a": "Q", "b": "Q", "scale": "R"}
    bounds: ClassVar = {"a": ANY, "b": ANY, "scale": POSITIVE}
    linear = ("a", "b")

    @property
    def start(self) -> float:
        return self.a - self.b

    @property
    def end(self) -> float:
        return self.a

    @classmethod
    def shapes(cls, resource: Array, **nonlinear: Any) -> Array:
        return columns(1.0, -cls.share(resource, **nonlinear)[1])
