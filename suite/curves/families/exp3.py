"""Saturating exponential with an offset: quality need not start at 0."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from suite.curves.families.curve import ANY, POSITIVE
from suite.curves.families.growth import FromOffset
from suite.curves.families.saturating_exponential import Exponential


@dataclass(frozen=True)
class Exp3(FromOffset, Exponential):
    """``a - b * exp(-r / scale)``: from ``a - b`` at no resource to ``a``."""

    a: float
    b: float
    scale: float

    name = "exp3"
    source = "Viering and Loog, The shape of learning curves: a review, IEEE TPAMI 45 (2023), table 1"
    units: ClassVar = {"a": "Q", "b": "Q", "scale": "R"}
    bounds: ClassVar = {"a": ANY, "b": ANY, "scale": POSITIVE}
