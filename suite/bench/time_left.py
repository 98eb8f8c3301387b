"""How far a run is, for a person at a terminal: the cells that are done, and about how long the others take."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from suite.core import phases

if TYPE_CHECKING:
    from suite.bench.run import Run

AT_HAND = 0.5  # of its estimate is over, on average


@dataclass(frozen=True, kw_only=True)
class Place:
    """How far a run is: ``done`` of its ``cells``, and about how many ``seconds`` the others take."""

    done: int
    cells: int
    seconds: float


def place_of(run: Run) -> Place | None:
    """How far a run is; ``None`` before it is planned and after its last cell."""
    if run.budget is None:
        return None
    estimated = {case: one.seconds for case, one in run.budget.found.items() if case not in run.budget.left}
    done = {case for case in estimated if all((case, group) in run.done for group in run.planned.get(case, ()))}
    if len(done) == len(estimated):
        return None
    left = seconds_left(list(estimated.values()), [estimated[case] for case in done], phases.elapsed())
    return Place(done=len(done), cells=len(estimated), seconds=left)


def seconds_left(estimated: Collection[float], done: Collection[float], elapsed: float) -> float:
    """What is left of the estimates, at the pace of the cells that are done; as estimated while none is."""
    rest = sum(estimated) - sum(done)
    if not done or not sum(done):
        return max(0.0, rest - elapsed)
    at_hand = AT_HAND * rest / (len(estimated) - len(done))
    return (rest - at_hand) * elapsed / (sum(done) + at_hand)
