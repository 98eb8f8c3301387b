"""Which cells are worth their price: those that no other cell of the same workload and device beats.

A cell beats another if it is clearly better in one merit and clearly worse in none. Clearly means outside the
intervals of both where they have any: what lies within noise is no merit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Merit:
    """One figure with its interval (the value itself for counts), turned so that higher is better."""

    value: float
    low: float
    high: float


def merit(value: float, low: float | None, high: float | None, *, higher: bool) -> Merit:
    """A figure as a merit; without both ends of an interval it counts as exact."""
    ends = (value, value) if low is None or high is None else (low, high)
    if higher:
        return Merit(value=value, low=min(*ends, value), high=max(*ends, value))
    return Merit(value=-value, low=-max(*ends, value), high=-min(*ends, value))


def front(cells: Sequence[tuple[Merit, ...] | None]) -> list[bool | None]:
    """Whether each cell is on the front; ``None`` where a merit is not known (it is neither on it nor beats others).

    Within noise "beats" is not transitive and can go round in a circle; cells of a circle count as equals, so that the
    front is never empty.
    """
    known = [index for index, merits in enumerate(cells) if merits is not None]
    reach = {index: {other for other in known if _beats(cells[index], cells[other])} for index in known}
    for middle in known:
        for index in known:
            if middle in reach[index]:
                reach[index] |= reach[middle]
    beaten = {other for index in known for other in reach[index] if index not in reach[other]}
    return [None if merits is None else index not in beaten for index, merits in enumerate(cells)]


def _beats(rival: tuple[Merit, ...] | None, own: tuple[Merit, ...] | None) -> bool:
    if rival is None or own is None:
        return False
    pairs = list(zip(rival, own, strict=True))
    better = any(theirs.low > mine.high for theirs, mine in pairs)
    return better and not any(mine.low > theirs.high for theirs, mine in pairs)
