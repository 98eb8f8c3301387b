"""Shares of right items: what ``n`` items can tell about a loss.

A share has regressed where it lies below its bound, a margin ``m`` below the stored value. It passes only where so few
items were lost that a loss of ``m``, which turns each item wrong with probability ``m``, loses as few in no more than
5 % of cases (an exact binomial test, as in the upper limit of Clopper and Pearson, Biometrika 26, 1934). Between the
two it is inconclusive: there are too few items. So of losses of ``m`` that turn answers wrong and none right at most
5 % pass, however few the items are; where a change turns answers right as well, what is counted is the net loss, which
spreads more, and somewhat more pass. Nothing is known of items that were not tested before.

A loss that turns each item wrong with probability ``L`` is found with power ``p`` where
``L - m >= z(p) sqrt(L (1 - L) / n)`` (normal approximation): ``m`` itself half the time, however many there are.
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from suite.core.records import Measurement
    from suite.gate.seed_subset import Bounds

POWER = 0.95
MISSED = 0.05  # of losses as large as the margin may pass
SAME = 1e-9
STORED = 1e-6  # shares are stored with six digits: the same answers differ by less
MOST = 1_000_000_000  # nobody has as many items


def too_few(measured: Measurement, bounds: Bounds) -> str:
    """Why a share within its bounds is not known to have lost less than the margin; empty where it is."""
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
            f"the margin of {margin:.2%} is less than {measured.n} items can tell, {least_margin(measured.n):.2%}: "
            f"record anew, or {_needed(0.0, margin)}"
        )
    return (
        f"{bounds.value:.2%} -> {measured.value:.2%}: {lost} of {measured.n} items lost; a loss of {margin:.2%} loses "
        f"as few in {chance:.0%} of cases, too many to pass; {_needed(lost / measured.n, margin)}"
    )


def as_few(lost: int, n: int, margin: float) -> float:
    """The probability that no more than ``lost`` of ``n`` items turn wrong where each does with ``margin``."""
    from scipy.special import bdtr  # scipy is slow to import

    return float(bdtr(lost, n, margin))


def _needed(share: float, margin: float) -> str:
    """How many items would tell, if the same share of them is lost."""
    needed = items_needed(share, margin)
    if needed is None:
        return "it lies so near the bound that no number of items tells"
    return f"about {needed} items (more images, or seeds that test others) would tell"


def items_needed(share: float, margin: float) -> int | None:
    """The least ``n``, to two digits, at which ``share`` of lost items tells a loss from the ``margin``."""
    n = math.log(MISSED) / math.log1p(-margin)  # where none is lost
    while n < MOST:
        if as_few(math.floor(share * n), math.ceil(n), margin) <= MISSED:
            return _two_digits(n)
        n *= 1.05
    return None


def _two_digits(n: float) -> int:
    unit: int = 10 ** max(0, math.floor(math.log10(n)) - 1)
    return math.ceil(n / unit) * unit


def least_margin(n: int) -> float:
    """The least margin that ``n`` items can be held to: none is lost, and a loss of it is told apart."""
    return float(1 - MISSED ** (1 / n))


def loss_found(n: int, margin: float) -> float:
    """The ``L`` of the module's text: the greater root of ``(L - m)^2 = z^2 / n L (1 - L)``, at most 1."""
    spread = NormalDist().inv_cdf(POWER) ** 2 / n
    middle, product = 2 * margin + spread, (1 + spread) * margin**2
    return min(1.0, (middle + math.sqrt(max(0.0, middle**2 - 4 * product))) / (2 * (1 + spread)))
