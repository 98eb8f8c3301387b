"""Allocation of a budget to several curves: the global optimum, with an upper bound as proof.

Concave curves are filled to one common marginal return. That rule, and every greedy one, can miss the optimum if a
curve has a convex part. Examples are a Gompertz before its inflection and a power law at a sharp break. Branch and
bound over the curves' concave envelopes does not miss it: an answer comes with an upper bound that no allocation
exceeds. The bound assumes that each curve is concave on the stated parts. This is checked; if it fails, no proof is
claimed.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count

from suite.core.errors import SuiteError
from suite.curves.decide.benefit import Benefit
from suite.curves.decide.envelope import Envelope, envelope
from suite.curves.families.curve import Curve

TOLERANCE = 1e-9  # of the benefit at stake
MOST_BRANCHES = 5_000
STEPS = 150
EXACT = 1e-13
SLIVER = 1e-12  # of the budget, for a curve that has no value at nothing
DIRECTIONS = {"higher": 1.0, "lower": -1.0}


class AllocationError(SuiteError):
    """A budget or curves that cannot be allocated."""


@dataclass(frozen=True)
class Allocation:
    """Resources for each curve, what they bring together, and the bound that no allocation passes; in Q.

    Without a proof the bound is infinite and ``unproven`` says why.
    """

    resources: tuple[float, ...]
    value: float
    bound: float
    marginal_returns: tuple[float, ...]
    """Quality per unit of *cost* [Q/cost] at the optimum: equal for all that are filled, if all are concave."""
    unproven: str | None = None

    @property
    def gap(self) -> float:
        """How far the allocation may be from the best one, at most."""
        return abs(self.bound - self.value)


def allocate(
    curves: Sequence[Curve], budget: float, *, costs: Sequence[float] | None = None, better: str = "higher"
) -> Allocation:
    """Split a ``budget`` over curves so that the sum of their qualities is best.

    Args:
        curves: each is monotone, and its marginal returns shrink on the intervals `Curve.diminishing` and grow between
            them. Both are checked; an allocation with another curve is searched all the same, and not proven.
        budget: what can be spent altogether; need not be spent where nothing brings more.
        costs: of a unit of each curve's resource; 1 unless given.
        better: ``higher`` for qualities, ``lower`` for losses.

    Raises `AllocationError` for what cannot be allocated.
    """
    benefits = _benefits(curves, budget, costs, better)
    best = _branched(benefits, budget)
    sign = DIRECTIONS[better]
    unproven = next((one.unproven for one in benefits if one.unproven is not None), None)
    bound = best.bound + sum(one.lost for one in benefits) if unproven is None else math.inf
    return Allocation(
        resources=tuple(float(cost / one.price) for cost, one in zip(best.spent, benefits, strict=True)),
        value=sign * best.value,
        bound=sign * bound,
        marginal_returns=tuple(float(sign * one.slope(cost)) for cost, one in zip(best.spent, benefits, strict=True)),
        unproven=unproven,
    )


def _benefits(
    curves: Sequence[Curve], budget: float, costs: Sequence[float] | None, better: str
) -> tuple[Benefit, ...]:
    prices = [1.0] * len(curves) if costs is None else list(costs)
    if not curves:
        raise AllocationError("there is no curve to spend on")
    if len(prices) != len(curves) or not all(math.isfinite(price) and price > 0 for price in prices):
        raise AllocationError(f"costs must be {len(curves)} positive numbers, one a curve, got {prices}")
    if better not in DIRECTIONS:
        raise AllocationError(f"better must be higher or lower, got {better!r}")
    if not math.isfinite(budget):
        raise AllocationError(f"the budget must be a finite number, got {budget!r}")
    sign, floor = DIRECTIONS[better], SLIVER * budget
    found = tuple(Benefit(curve, sign, price, floor, budget) for curve, price in zip(curves, prices, strict=True))
    for curve in curves:
        if sign * curve.start == math.inf:
            raise AllocationError(
                f"the fewer resources for {curve}, the better, without a limit; is better={better!r} right?"
            )
    least = sum(one.least for one in found)
    if not budget >= least:
        raise AllocationError(
            f"the budget must be at least {least:g}, which these curves need to begin, got {budget!r}"
        )
    return found


@dataclass(frozen=True)
class _Relaxed:
    """The best that the envelopes allow inside a box; the envelopes' sum is the bound, the benefits' the value."""

    envelopes: tuple[Envelope, ...]
    spent: tuple[float, ...]
    value: float
    bound: float

    @property
    def widest(self) -> int:
        """Position of the curve with the largest gap below its envelope."""
        gaps = [one(cost) - one.benefit(cost) for one, cost in zip(self.envelopes, self.spent, strict=True)]
        return max(range(len(gaps)), key=gaps.__getitem__)


def _branched(benefits: Sequence[Benefit], budget: float) -> _Relaxed:
    """Branch and bound: splits the range of the curve with the largest gap between envelope and value."""
    least = [one.least for one in benefits]
    room = budget - sum(least)
    root = _relaxed(tuple(envelope(one, low, low + room) for one, low in zip(benefits, least, strict=True)), budget)
    best, order, opened = root, count(), [(-root.bound, 0, root)]
    stake = TOLERANCE * max(abs(root.bound), abs(root.value), 1e-300)
    closed = best.value  # what nodes allow that cannot be split any more
    for _ in range(MOST_BRANCHES):
        if not opened or -opened[0][0] <= best.value + stake:
            break
        _, _, node = heapq.heappop(opened)
        children = _split(node, budget)
        closed = closed if children else max(closed, node.bound)
        for child in children:
            best = child if child.value > best.value else best
            heapq.heappush(opened, (-min(child.bound, node.bound), next(order) + 1, child))
    bound = max([closed, best.value, *(-negative for negative, _, _ in opened[:1])])
    return _Relaxed(best.envelopes, best.spent, best.value, bound)


def _split(node: _Relaxed, budget: float) -> list[_Relaxed]:
    """The node's two halves, cut in the range of the widest curve; a half that the budget does not fill is none."""
    at = node.widest
    one = node.envelopes[at]
    cut = one.cut(node.spent[at])
    if not one.low < cut < one.high:
        return []
    halves = (envelope(one.benefit, one.low, cut), envelope(one.benefit, cut, one.high))
    boxes = [(*node.envelopes[:at], half, *node.envelopes[at + 1 :]) for half in halves]
    return [_relaxed(box, budget) for box in boxes if sum(part.low for part in box) <= budget * (1 + 1e-15)]


def _relaxed(envelopes: tuple[Envelope, ...], budget: float) -> _Relaxed:
    spent, price = _filled(envelopes, budget)
    pairs = list(zip(envelopes, spent, strict=True))
    value = sum(one.benefit(x) for one, x in pairs)
    bound = max(sum(one(x) for one, x in pairs), _dual(envelopes, budget, price))
    return _Relaxed(envelopes, spent, value, bound)


def _dual(envelopes: Sequence[Envelope], budget: float, price: float) -> float:
    """What no allocation passes, by weak duality: the best at a price for each unit, and the price of the budget."""
    wanted = [one.demand(price) for one in envelopes]
    return sum(one(x) for one, x in zip(envelopes, wanted, strict=True)) + price * (budget - sum(wanted))


def _filled(envelopes: Sequence[Envelope], budget: float) -> tuple[tuple[float, ...], float]:
    """Water-filling: the price at which the demands use up the budget; a chord takes what then is left."""

    def demanded(price: float) -> list[float]:
        return [one.demand(price) for one in envelopes]

    if sum(demanded(0.0)) <= budget:
        return tuple(demanded(0.0)), 0.0
    low, high, price = _prices(demanded, budget)
    rest = budget - sum(high)
    spent = []
    for less, more in zip(high, low, strict=True):
        spent.append(less + min(max(rest, 0.0), max(more - less, 0.0)))
        rest -= spent[-1] - less
    return tuple(spent), price


def _prices(demanded: Callable[[float], list[float]], budget: float) -> tuple[list[float], list[float], float]:
    """The demands just above and just below the budget, and the price of the latter."""
    cheap, dear = 0.0, 1.0
    while sum(demanded(dear)) > budget:
        cheap, dear = dear, 8 * dear
    while cheap == 0.0:  # demand at no price is above the budget, so this ends
        cheap, dear = (dear / 8, dear) if sum(demanded(dear / 8)) > budget else (0.0, dear / 8)
    return _closed(demanded, budget, cheap, dear)


def _closed(
    demanded: Callable[[float], list[float]], budget: float, cheap: float, dear: float
) -> tuple[list[float], list[float], float]:
    """Closes in on the price by false position; every third step halves, for a chord's jump would stop the others."""
    above, below = demanded(cheap), demanded(dear)
    over, under = sum(above) - budget, sum(below) - budget
    for step in range(STEPS):
        if under == 0 or over - under <= EXACT * budget or dear - cheap <= EXACT * dear:
            break
        share = 0.5 if step % 3 == 2 else over / (over - under)  # noqa: PLR2004  # every third
        middle = cheap + share * (dear - cheap)
        if not cheap < middle < dear:
            middle = (cheap + dear) / 2
        found = demanded(middle)
        excess = sum(found) - budget
        if excess > 0:
            cheap, above, over = middle, found, excess
        else:
            dear, below, under = middle, found, excess
    return above, below, dear
