"""Saturating exponential: each further resource closes the same share of the gap to the top."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from suite.curves.families.curve import ANY, POSITIVE, Array
from suite.curves.families.growth import FromNothing, Growth
from suite.curves.families.stable import spread


class Exponential(Growth):
    """What the saturating exponentials share: ``1 - exp(-r / scale)``, concave everywhere."""

    @classmethod
    def share(cls, resource: Array, **nonlinear: Any) -> tuple[Array, Array]:
        z = resource / nonlinear["scale"]
        return -np.expm1(-z), np.exp(-z)  # 1 - exp(-z) would be 0 below z = 1e-16

    @classmethod
    def slopes(cls, resource: Array, **nonlinear: Any) -> tuple[Array, Array]:
        scale = nonlinear["scale"]
        left = np.exp(-resource / scale)
        return left / scale, -left / scale**2

    @classmethod
    def quantile(cls, share: Array, left: Array, **nonlinear: Any) -> Array:
        return np.asarray(-nonlinear["scale"] * np.where(share < left, np.log1p(-share), np.log(left)))

    @classmethod
    def starts(cls, resource: Array) -> dict[str, Array]:
        return {"scale": spread(resource, 0.1, 30, 24)}


@dataclass(frozen=True)
class SaturatingExponential(FromNothing, Exponential):
    """``top * (1 - exp(-r / scale))``: from 0 at no resource."""

    top: float
    scale: float

    name = "saturating_exponential"
    source = "the article's section 3.1; Mitscherlich's law of diminishing returns (1909)"
    units: ClassVar = {"top": "Q", "scale": "R"}
    bounds: ClassVar = {"top": ANY, "scale": POSITIVE}
