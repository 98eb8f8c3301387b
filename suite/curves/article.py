"""The article's two curves, and what its statements about them come to when they are computed."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from suite.core.errors import unknown
from suite.curves.families.gompertz import Gompertz
from suite.curves.families.saturating_exponential import SaturatingExponential

GOMPERTZ = Gompertz(alpha=0.95, beta=4.0, gamma=0.1)
"""Section 4.1, with the constants of its example."""
SATURATING = SaturatingExponential(top=0.95, scale=20.0)
"""Section 3.1: performance over resources from 0 to 100."""
LAST = 100.0
"""The largest resource that section 3.1 plots."""
STRAIGHT = SATURATING.top / LAST
"""Slope of the dashed line that section 3.1 calls ideal."""


@dataclass(frozen=True)
class Statement:
    """What the article says (``said``, to ``digits`` decimals, where it is a figure) and how to compute the truth."""

    claim: str
    says: str
    true: Callable[[], float]
    said: float | None = None
    digits: int = 3

    @property
    def refuted(self) -> bool:
        """Whether the figure, rounded as the article rounds, is another one. False without a figure."""
        return self.said is not None and round(self.true(), self.digits) != self.said


def slope_at(resource: float) -> float:
    """Marginal return of the article's Gompertz curve."""
    return float(GOMPERTZ.derivative(resource))


def slope_ratio() -> float:
    """The marginal return at 40 as a share of that at 20: 0.368 by the article's figures."""
    return slope_at(40) / slope_at(20)


def turning_point() -> float:
    """Where the Gompertz curve's marginal returns begin to diminish."""
    return GOMPERTZ.inflection or 0.0


def elasticity(resource: float) -> float:
    """``r P'(r)`` of the saturating exponential: constant for a logarithm."""
    return resource * float(SATURATING.derivative(resource))


def farthest_from_straight() -> float:
    """The resource at which the saturating exponential exceeds the straight line most: ``s ln(top / (s slope))``."""
    return SATURATING.scale * math.log(SATURATING.top / (SATURATING.scale * STRAIGHT))


def largest_excess() -> float:
    """How far it lies above the line there."""
    at = farthest_from_straight()
    return float(SATURATING(at)) - STRAIGHT * at


def meets_straight() -> float:
    """The resource above which the straight line lies higher: ``r / s = x`` with ``1 - exp(-x) = s x / 100``."""
    from scipy.special import lambertw  # scipy is slow to import

    ratio = LAST / SATURATING.scale
    return SATURATING.scale * float(ratio + lambertw(-ratio * math.exp(-ratio)).real)


STATEMENTS = (
    Statement("M-07", "dP/dR at R = 20 is about 0.019", lambda: slope_at(20), said=0.019),
    Statement("M-08", "dP/dR at R = 40 is about 0.007", lambda: slope_at(40), said=0.007),
    Statement(
        "M-09", "diminishing is clearly visible: 0.007 at R = 40, a share of 0.368 of 0.019", slope_ratio, said=0.368
    ),
    Statement("D-02", "marginal returns diminish; those of its Gompertz curve do so only above R =", turning_point),
    Statement("C-02", "a logarithm is simulated; R P' would be constant, and is at R = 100", lambda: elasticity(LAST)),
    Statement("C-03", "the straight line is ideal; the curve is above it by up to", largest_excess),
    Statement("C-04", "0.95 is the maximum; the largest value plotted is", lambda: float(SATURATING(LAST))),
)


def statement(claim: str) -> Statement:
    """The statement with the identifier ``claim``. Raises `UsageError` with the nearest ones."""
    found = {each.claim: each for each in STATEMENTS}
    if claim not in found:
        raise unknown("statement of the article", claim, found)
    return found[claim]
