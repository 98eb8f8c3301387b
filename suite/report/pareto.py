"""Which cells are worth their price: those that no other cell of the same workload and device beats.

A cell beats another if it is clearly better in one merit and clearly worse in none. Clearly means outside the
intervals of both where they have any: what lies within noise is no merit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy.typing as npt

    Flags = npt.NDArray[Any]


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
    best = iter(_unbeaten([merits for merits in cells if merits is not None]))
    return [None if merits is None else next(best) for merits in cells]


def _unbeaten(cells: Sequence[tuple[Merit, ...]]) -> list[bool]:
    """Whether each cell is in a circle that no cell outside of it beats.

    Circles are strongly connected components of "beats", by Kosaraju's two searches; a cell's rivals are one vector
    operation over all cells [n], so that no matrix [n, n] is held.
    """
    import numpy as np  # heavy

    if not cells:
        return []
    lows, highs = (np.array([[getattr(one, end) for one in merits] for merits in cells]) for end in ("low", "high"))

    def beaten_by(index: int) -> Flags:
        """Those that a cell beats."""
        flags: Flags = (lows[index] > highs).any(1) & ~(lows > highs[index]).any(1)
        return flags

    def beating(index: int) -> Flags:
        """Those that beat a cell."""
        flags: Flags = (lows > highs[index]).any(1) & ~(lows[index] > highs).any(1)
        return flags

    circle = np.full(len(cells), -1)
    open_ = np.ones(len(cells), dtype=bool)
    for root in reversed(_finished(len(cells), beaten_by)):
        for index in _reached(root, beating, open_):
            circle[index] = root
    outside = {int(circle[index]) for index in range(len(cells)) if (circle[beating(index)] != circle[index]).any()}
    return [int(own) not in outside for own in circle]


def _finished(count: int, beaten_by: Callable[[int], Flags]) -> list[int]:
    """All cells in the order in which a depth-first search leaves them."""
    import numpy as np

    open_, order = np.ones(count, dtype=bool), []
    for start in range(count):
        if not open_[start]:
            continue
        open_[start], stack = False, [(start, beaten_by(start))]
        while stack:
            index, targets = stack[-1]
            following = np.flatnonzero(targets & open_)
            if len(following):
                found = int(following[0])
                open_[found] = False
                stack.append((found, beaten_by(found)))
            else:
                order.append(index)
                stack.pop()
    return order


def _reached(root: int, beating: Callable[[int], Flags], open_: Flags) -> list[int]:
    """The open cells from which ``root`` is reached, itself among them; they are closed."""
    import numpy as np

    if not open_[root]:
        return []
    open_[root], found = False, [root]
    for index in found:  # grows
        following = np.flatnonzero(beating(index) & open_)
        open_[following] = False
        found += map(int, following)
    return found
