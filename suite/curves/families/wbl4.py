"""Weibull's growth with an offset, also known as Janoschek's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from suite.curves.families.curve import ANY, EXPONENT, POSITIVE
from suite.curves.families.growth import FromOffset
from suite.curves.families.weibull import Stretched


@dataclass(frozen=True)
class Wbl4(FromOffset, Stretched):
    """``a - b * exp(-(r / scale) ** k)``: from ``a - b`` at no resource to ``a``."""

    a: float
    b: float
    scale: float
    k: float

    name = "wbl4"
    source = "Janoschek, Das reaktionskinetische Grundgesetz, Statistische Vierteljahresschrift 10 (1957)"
    units: ClassVar = {"a": "Q", "b": "Q", "scale": "R", "k": "1"}
    bounds: ClassVar = {"a": ANY, "b": ANY, "scale": POSITIVE, "k": EXPONENT}
