"""Michaelis and Menten's saturation: Hill's equation with exponent 1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from suite.curves.families.curve import ANY, POSITIVE, Array
from suite.curves.families.growth import FromNothing
from suite.curves.families.stable import spread


@dataclass(frozen=True)
class MichaelisMenten(FromNothing):
    """``top * r / (half + r)``: concave everywhere, half of ``top`` at ``half``."""

    top: float
    half: float

    name = "michaelis_menten"
    source = "Michaelis and Menten, Die Kinetik der Invertinwirkung, Biochemische Zeitschrift 49 (1913)"
    units: ClassVar = {"top": "Q", "half": "R"}
    bounds: ClassVar = {"top": ANY, "half": POSITIVE}

    @classmethod
    def share(cls, resource: Array, **nonlinear: Any) -> tuple[Array, Array]:
        half = nonlinear["half"]
        return resource / (half + resource), half / (half + resource)

    @classmethod
    def slopes(cls, resource: Array, **nonlinear: Any) -> tuple[Array, Array]:
        half = nonlinear["half"]
        left = half / (half + resource)
        return left**2 / half, -2 * left**3 / half**2

    @classmethod
    def quantile(cls, share: Array, left: Array, **nonlinear: Any) -> Array:
        return np.asarray(nonlinear["half"] * share / left)

    @classmethod
    def starts(cls, resource: Array) -> dict[str, Array]:
        return {"half": spread(resource, 0.1, 30, 24)}
