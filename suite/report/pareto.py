"""Which cells are worth their price: those that no other cell of the same workload and device beats.

A cell beats another if it is clearly better in one merit and clearly worse in none. Clearly means outside the
intervals of both where they have any: what lies within noise is no merit.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy.typing as npt

    Flags = npt.NDArray[Any]

MOST_SORTED = 3  # merits that cells are sorted by; of more, all pairs are compared


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

    A cell that nothing beats is such a circle by itself, and whatever it beats, directly or by way of others, is none.
    Few cells are left after that, mostly none: their circles are searched for pair by pair.
    """
    beaten = _beaten(cells, range(len(cells)), range(len(cells)))
    best = [index for index in range(len(cells)) if index not in beaten]
    left, winners = beaten, best
    while winners and left:
        winners = sorted(_beaten(cells, winners, sorted(left)))
        left = left - set(winners)
    rest = sorted(left)
    in_circles = {rest[place] for place, is_best in enumerate(_circles([cells[one] for one in rest])) if is_best}
    on_front = in_circles.union(best)
    return [index in on_front for index in range(len(cells))]


def _beaten(cells: Sequence[tuple[Merit, ...]], rivals: Sequence[int], candidates: Sequence[int]) -> set[int]:
    """The candidates that some rival beats: better in one merit, and not worse in any other.

    Each merit in turn is the one to be better in. Rivals [r] and candidates [c] are visited along it, and of the rivals
    that are better in it a staircase keeps those that matter for the two other merits: (r + c) log(r + c) steps.
    """
    merits = len(cells[0]) if cells else 0
    if merits > MOST_SORTED:
        return _beaten_pairwise(cells, rivals, candidates)
    found: set[int] = set()
    for chosen in range(merits):
        others = [other for other in range(merits) if other != chosen]
        found |= _beaten_in(cells, rivals, candidates, chosen, others)
    return found


def _beaten_in(
    cells: Sequence[tuple[Merit, ...]], rivals: Sequence[int], candidates: Sequence[int], at: int, others: Sequence[int]
) -> set[int]:
    """The candidates that some rival beats by being better in merit ``at``, and not worse in the ``others``."""
    stairs, found = _Staircase(), set()
    waiting = sorted(rivals, key=lambda index: cells[index][at].low)
    for index in sorted(candidates, key=lambda index: -cells[index][at].high):
        while waiting and cells[waiting[-1]][at].low > cells[index][at].high:
            stairs.add(*_ends(cells[waiting.pop()], "high", others))
        if stairs.covers(*_ends(cells[index], "low", others)):
            found.add(index)
    return found


def _ends(merits: tuple[Merit, ...], end: str, others: Sequence[int]) -> tuple[float, float]:
    """One end of the (at most two) other merits; those that do not exist are equal."""
    first, second = [getattr(merits[other], end) for other in others] + [0.0] * (2 - len(others))
    return first, second


class _Staircase:
    """Points of the plane of which none is at or below another, to ask whether one of them covers a point.

    ``x`` ascends and ``y`` descends, so that both are searched by bisection.
    """

    def __init__(self) -> None:
        self.x: list[float] = []
        self.y: list[float] = []

    def covers(self, x: float, y: float) -> bool:
        """Whether some point is not below in either direction."""
        place = bisect_left(self.x, x)
        return place < len(self.x) and self.y[place] >= y

    def add(self, x: float, y: float) -> None:
        if self.covers(x, y):
            return
        end = bisect_right(self.x, x)
        start = bisect_left(self.y, -y, 0, end, key=lambda value: -value)
        self.x[start:end], self.y[start:end] = [x], [y]


def _beaten_pairwise(cells: Sequence[tuple[Merit, ...]], rivals: Sequence[int], candidates: Sequence[int]) -> set[int]:
    """The same of any number of merits, in r * c steps."""
    lows, highs = _bounds(cells)
    strong, reach = lows[list(rivals)], highs[list(rivals)]

    def is_beaten(index: int) -> bool:
        return bool(((strong > highs[index]).any(1) & ~(lows[index] > reach).any(1)).any())

    return {index for index in candidates if is_beaten(index)}


def _bounds(cells: Sequence[tuple[Merit, ...]]) -> tuple[Flags, Flags]:
    """Lower and upper ends [cells, merits]."""
    import numpy as np  # heavy

    lows, highs = (np.array([[getattr(one, end) for one in merits] for merits in cells]) for end in ("low", "high"))
    return lows, highs


def _circles(cells: Sequence[tuple[Merit, ...]]) -> list[bool]:
    """Whether each cell is in a circle that no other of these cells beats.

    Circles are strongly connected components of "beats", by Kosaraju's two searches; a cell's rivals are one vector
    operation over all cells [n], so that no matrix [n, n] is held.
    """
    import numpy as np  # heavy

    if not cells:
        return []
    lows, highs = _bounds(cells)

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
