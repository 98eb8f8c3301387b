"""How far a run is, for a person at a terminal: the cell at hand, and about how long the others take."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from suite.bench.estimate import minutes
from suite.core import phases

if TYPE_CHECKING:
    from suite.bench.run import Run

AT_HAND = 0.5  # of its estimate is over, on average


def place_of(run: Run) -> str:
    """Like ``cell 3 of 12, about 4.0 min left``; empty before the run is planned and after its last cell."""
    if run.budget is None:
        return ""
    estimated = {case: one.seconds for case, one in run.budget.found.items() if case not in run.budget.left}
    done = {case for case in estimated if all((case, group) in run.done for group in run.planned.get(case, ()))}
    if len(done) == len(estimated):
        return ""
    left = seconds_left(list(estimated.values()), [estimated[case] for case in done], phases.elapsed())
    return f"cell {len(done) + 1} of {len(estimated)}, about {minutes(left)} left"


def seconds_left(estimated: Collection[float], done: Collection[float], elapsed: float) -> float:
    """What is left of the estimates, at the pace of the cells that are done; as estimated while none is."""
    rest = sum(estimated) - sum(done)
    if not done or not sum(done):
        return max(0.0, rest - elapsed)
    at_hand = AT_HAND * rest / (len(estimated) - len(done))
    return (rest - at_hand) * elapsed / (sum(done) + at_hand)
