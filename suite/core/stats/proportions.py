"""Proportions of right items: which loss ``n`` items can detect.

The bound of a proportion is a margin ``m`` below the stored value; a proportion below the bound has regressed. A
proportion passes if few enough items were lost. If each item turned wrong with probability ``m``, so few would be lost
in at most 5 % of cases. This is an exact binomial test, as in the upper limit of Clopper and Pearson (Biometrika 26,
1934). Between the two it is inconclusive: there are too few items. So at most 5 % of the losses of ``m`` pass, for any
number of items, if a change turns answers wrong and none right. If it turns answers right as well, the net loss is
counted. It has a larger variance, so somewhat more losses pass. Items that were not tested before have no stored
answer.

Let each item turn wrong with probability ``L``. The loss is found with power ``p`` if ``L - m >= z(p) sqrt(L (1 - L) /
n)`` (normal approximation). A loss of ``m`` is found half the time, for any ``n``.
"""

from __future__ import annotations

import math
from functools import lru_cache
from statistics import NormalDist
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from suite.core.records import Measurement
    from suite.gate.seed_subset import Bounds

POWER = 0.95
MISSED = 0.05  # of losses as large as the margin may pass
SAME = 1e-9
STORED = 1e-6  # shares are stored with six digits: the same answers differ by less
MOST = 1_000_000_000  # no data set has as many items


def too_few(measured: Measurement, bounds: Bounds) -> str:
    """Why a proportion within its bounds may have lost as much as the margin; empty if it has lost less."""
    higher = measured.better == "higher"
    bound = bounds.low if higher else bounds.high
    margin = 0.0 if bound is None else abs(bounds.value - bound)
    if not measured.share or not bounds.same_items or not SAME < margin < 1:
        return ""
    worse = bounds.value - measured.value if higher else measured.value - bounds.value
    lost = max(0, math.ceil((worse - STORED) * measured.n))
    chance = as_few(lost, measured.n, margin)
    if chance <= MISSED:
        return ""
    if margin < least_margin(measured.n):
        return (
            f"the margin of {margin:.2%} is less than {measured.n} items can detect, {least_margin(measured.n):.2%}: "
            f"record anew, or {_needed(0.0, margin)}"
        )
    return (
        f"{bounds.value:.2%} -> {measured.value:.2%}: {lost} of {measured.n} items lost; a loss of {margin:.2%} loses "
        f"as few in {chance:.0%} of cases, too many to pass; {_needed(lost / measured.n, margin)}"
    )


@lru_cache(maxsize=65536)  # the machines of a fleet lose the same few items
def as_few(lost: int, n: int, margin: float) -> float:
    """The probability that at most ``lost`` of ``n`` items turn wrong if each does with probability ``margin``."""
    from scipy.special import bdtr  # scipy is slow to import

    return float(bdtr(lost, n, margin))


def _needed(share: float, margin: float) -> str:
    """The number of items that would decide if the same share of them is lost."""
    needed = items_needed(share, margin)
    if needed is None:
        return "the value is too close to the bound for any number of items"
    return f"about {needed} items (more images, or seeds that test others) would decide"


def items_needed(share: float, margin: float) -> int | None:
    """About the least ``n``, of two digits, at which a loss of ``share`` of the items is known to be below ``margin``.

    A part of an item counts as lost: else a few items of which none would be lost decided more than all that were
    tested.
    """
    n = math.log(MISSED) / math.log1p(-margin)  # if none is lost
    while n < MOST:
        items = _two_digits(n)
        if as_few(math.ceil(share * items), items, margin) <= MISSED:
            return items
        n *= 1.05
    return None


def _two_digits(n: float) -> int:
    unit: int = 10 ** max(0, math.floor(math.log10(n)) - 1)
    return math.ceil(n / unit) * unit


def least_margin(n: int) -> float:
    """The least margin that ``n`` items can test: with no item lost, a loss of this size is excluded."""
    return float(1 - MISSED ** (1 / n))


def loss_found(n: int, margin: float) -> float:
    """The ``L`` in the module's docstring: the greater root of ``(L - m)^2 = z^2 / n L (1 - L)``, at most 1."""
    spread = NormalDist().inv_cdf(POWER) ** 2 / n
    middle, product = 2 * margin + spread, (1 + spread) * margin**2
    return min(1.0, (middle + math.sqrt(max(0.0, middle**2 - 4 * product))) / (2 * (1 + spread)))
