"""Morgan, Mercer and Flodin's growth: Hill's equation with an offset."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from suite.curves.families.curve import ANY, EXPONENT, POSITIVE, Array
from suite.curves.families.hill import HalfWay
from suite.curves.families.stable import columns


@dataclass(frozen=True)
class Mmf4(HalfWay):
    """``(a * b + c * r^n) / (b + r^n)`` with ``b = half^n``: from ``a`` at no resource to ``c``, half way at ``half``.

    The published parameter ``b`` has a unit that depends on ``n``, and no scale of its own; ``half`` is in R.
    """

    a: float
    c: float
    half: float
    n: float

    name = "mmf4"
    source = "Morgan, Mercer and Flodin, General model for nutritional responses of higher organisms, PNAS 72 (1975)"
    units: ClassVar = {"a": "Q", "c": "Q", "half": "R", "n": "1"}
    bounds: ClassVar = {"a": ANY, "c": ANY, "half": POSITIVE, "n": EXPONENT}
    linear = ("a", "c")

    @property
    def start(self) -> float:
        return self.a

    @property
    def end(self) -> float:
        return self.c

    @property
    def rise(self) -> float:
        return self.c - self.a

    @classmethod
    def shapes(cls, resource: Array, **nonlinear: Any) -> Array:
        share, left = cls.share(resource, **nonlinear)
        return columns(left, share)
