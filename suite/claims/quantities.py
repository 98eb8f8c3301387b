"""Quantities with intervals, and what can be said of them at a level of confidence.

Arithmetic is that of intervals: the result holds every value that the operands allow, whatever their dependence, so it
is wide rather than wrong (Moore, Interval Analysis, 1966). A difference or ratio that was measured pair by pair is
narrower: use the paired metric (``accuracy_vs_control``, ``speedup``) where there is one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from statistics import NormalDist

from suite.claims.truth import Truth, every

CERTAIN = 1.0 - 1e-12  # beyond, a quantile is no finite number


@dataclass(frozen=True)
class Interval:
    """A ``value`` and the ends of its interval; a count or a computed figure is a point."""

    value: float
    low: float
    high: float

    @staticmethod
    def point(value: float) -> Interval:
        """Without uncertainty."""
        return Interval(float(value), float(value), float(value))

    @property
    def exact(self) -> bool:
        """Whether it is a point."""
        return self.low == self.high

    def __neg__(self) -> Interval:
        return Interval(-self.value, -self.high, -self.low)

    def __add__(self, other: Interval) -> Interval:
        return Interval(self.value + other.value, self.low + other.low, self.high + other.high)

    def __sub__(self, other: Interval) -> Interval:
        return self + -other

    def __mul__(self, other: Interval) -> Interval:
        return _hull(self.value * other.value, self, other, lambda a, b: a * b)

    def __truediv__(self, other: Interval) -> Interval:
        if other.low <= 0 <= other.high:  # its reciprocal reaches to infinity
            value = math.nan if other.value == 0 else self.value / other.value
            return Interval(value, -math.inf, math.inf)
        return _hull(self.value / other.value, self, other, lambda a, b: a / b)

    def __pow__(self, other: Interval) -> Interval:
        whole = self.exact and other.value.is_integer() and (self.value != 0 or other.value >= 0)
        if not other.exact or (self.low <= 0 and not whole):
            return Interval(math.nan, -math.inf, math.inf)
        return _hull(_power(self.value, other.value), self, other, _power)

    def below(self, other: Interval) -> Truth:
        """``self < other``."""
        if self.high < other.low:
            return Truth.TRUE
        return Truth.FALSE if self.low >= other.high else Truth.OPEN

    def at_most(self, other: Interval) -> Truth:
        """``self <= other``."""
        return ~other.below(self)

    def equal(self, other: Interval) -> Truth:
        """``self == other``: intervals that meet leave it open unless both are points; so does what is no number."""
        if math.isnan(self.value) or math.isnan(other.value):
            return Truth.OPEN
        if self.exact and other.exact:
            return Truth.of(self.low == other.low)
        return Truth.OPEN if self.low <= other.high and other.low <= self.high else Truth.FALSE


def _hull(value: float, a: Interval, b: Interval, of: Callable[[float, float], float]) -> Interval:
    """Of the four pairs of ends; zero times infinity is zero, and what is no number may be anything."""
    if any(math.isnan(one) for one in (a.value, b.value, *_ends(a), *_ends(b))):
        return Interval(math.nan, -math.inf, math.inf)
    corners = [0.0 if math.isnan(found) else found for found in (of(x, y) for x, y in product(_ends(a), _ends(b)))]
    return Interval(value, min(corners), max(corners))


def _power(base: float, exponent: float) -> float:
    try:
        return float(base**exponent)
    except OverflowError:
        return math.inf


def _ends(one: Interval) -> tuple[float, float]:
    return one.low, one.high


@dataclass(frozen=True, kw_only=True)
class Quantity:
    """A figure of evidence: its ``value`` and interval at the ``confidence`` at which it was taken.

    Without an interval it is a point if it is ``exact``; else nothing is known of its uncertainty, and no comparison
    decides anything. ``by_seed`` are its values in the order of the seeds. ``freedom`` are the degrees of freedom of
    an interval that comes from few values (Student's t); ``most`` is the greatest level that the values can support.
    """

    value: float
    low: float | None = None
    high: float | None = None
    confidence: float = 0.95
    exact: bool = False
    by_seed: tuple[float, ...] = ()
    freedom: int | None = None
    most: float = 1.0

    def at(self, level: float) -> Interval:
        """Its interval at another ``level``: each side in proportion to the quantile of its distribution.

        A measured side without width (equal values) says nothing beyond the level at which it was taken.
        """
        if self.exact:
            return Interval.point(self.value)
        if self.low is None or self.high is None or math.isnan(self.value):
            return Interval(self.value, -math.inf, math.inf)
        if level > max(self.most, self.confidence):
            return Interval(self.value, -math.inf, math.inf)
        wider = quantile(level, self.freedom) / quantile(self.confidence, self.freedom)
        down, up = (self._side(side, wider) for side in (self.value - self.low, self.high - self.value))
        return Interval(self.value, self.value - down, self.value + up)

    def _side(self, width: float, wider: float) -> float:
        return math.inf if width <= 0 and wider > 1 else wider * width


def quantile(level: float, freedom: int | None = None) -> float:
    """Of a two-sided interval of a ``level``: the normal distribution's, or Student's with degrees of ``freedom``."""
    below = (1 + min(level, CERTAIN)) / 2
    if freedom is None:
        return NormalDist().inv_cdf(below)
    from scipy.special import stdtrit  # slow to import

    return float(stdtrit(freedom, below))


def within(found: Interval, low: Interval, high: Interval) -> Truth:
    """Whether the whole interval lies between the limits, these included: an equivalence test.

    Both one-sided tests have to reject, each at half of the level's complement: Schuirmann, A comparison of the two
    one-sided tests procedure, J. Pharmacokinetics and Biopharmaceutics 15 (1987).
    """
    return every((low.at_most(found), found.at_most(high)))


def rises(found: Sequence[Quantity], level: float) -> Truth:
    """Whether values rise along a sweep, by a trend test over seeds; exact ones by their order.

    Page's test with seeds as blocks, one-sided (Page, Ordered hypotheses for multiple treatments, JASA 58, 1963). False
    if they fall by the same test; open if neither.
    """
    if all(one.exact for one in found):
        return Truth.of(all(a.value <= b.value for a, b in pairwise(found)) and found[0].value < found[-1].value)
    blocks = list(zip(*(one.by_seed for one in found), strict=False))
    if len(blocks) < 2 or len(found) < 3:  # noqa: PLR2004  # of both the test needs as many
        return Truth.OPEN
    risk = (1 - level) / 2
    if _page(blocks) <= risk:
        return Truth.TRUE
    return Truth.FALSE if _page([block[::-1] for block in blocks]) <= risk else Truth.OPEN


def _page(blocks: Sequence[Sequence[float]]) -> float:
    from scipy.stats import page_trend_test  # slow to import

    return float(page_trend_test([list(block) for block in blocks]).pvalue)


def agreement(first: Sequence[float], second: Sequence[float]) -> float:
    """Kendall's tau-b of two orders of the same things."""
    from scipy.stats import kendalltau  # slow to import

    return float(kendalltau(first, second).statistic)
