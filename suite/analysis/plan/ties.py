"""Which cells cannot be told apart from the winner in their score, and on what ground."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from suite.analysis.plan.gains import NOT_PAIRED, Figures, quality_gain
from suite.analysis.plan.interval_arithmetic import ValueInterval
from suite.core.composition import BASELINE
from suite.core.metrics import VS_CONTROL
from suite.core.records import Measurement, Metric

PAIRED = "paired difference holds 0"
SAME_CONTROL = "paired differences to the same control overlap"
THROUGH_BASELINE = "paired differences to the baseline overlap"
OVERLAP = "intervals overlap; not paired"
NO_INTERVAL = "no interval to tell them by"


class Scored(Protocol):
    """What cells are compared by."""

    @property
    def technique(self) -> str: ...

    @property
    def score(self) -> Measurement | None: ...

    @property
    def figures(self) -> Mapping[str, Measurement]: ...


C = TypeVar("C", bound=Scored)


@dataclass(frozen=True, kw_only=True)
class Alike(Generic[C]):
    """A cell that cannot be told apart from the winner, and how that was seen."""

    candidate: C
    how: str


def alike(winner: C, others: Iterable[C], here: Mapping[str, Figures], score: Metric) -> tuple[Alike[C], ...]:
    """Those of ``others`` with a score that does not differ significantly from the winner's.

    Three sources are used in this order. First, the records' paired difference on the same items, if one cell is the
    other's control. Second, the paired differences of both to one control, or to the baseline; these may lead through
    controls among ``here``, the metrics of all cells by technique. Third, the intervals of the scores themselves.
    """
    found = [(other, _ground(winner, other, here, score)) for other in others]
    return tuple(Alike(candidate=other, how=how) for other, how in found if how)


def _ground(winner: Scored, other: Scored, here: Mapping[str, Figures], score: Metric) -> str | None:
    """Why two cells cannot be told apart; `None` where they can."""
    first, second = (_difference(one, score.name) for one in (winner, other))
    paired = _between(first, other) or _between(second, winner)
    if paired:
        return PAIRED if _holds(paired, 0.0) else None
    if first and second and first.control == second.control:
        return SAME_CONTROL if _overlap(first, second) else None
    gains = [_gain(one, here, score) for one in (winner, other)]
    if gains[0] and gains[1]:
        return THROUGH_BASELINE if gains[0].low <= gains[1].high and gains[1].low <= gains[0].high else None
    return _by_scores(winner, other)


def _by_scores(winner: Scored, other: Scored) -> str | None:
    assert winner.score is not None and other.score is not None  # noqa: S101, PT018  # both are inside
    if not (_has_interval(winner.score) and _has_interval(other.score)):
        return NO_INTERVAL
    return OVERLAP if _overlap(winner.score, other.score) else None


def _gain(one: Scored, here: Mapping[str, Figures], score: Metric) -> ValueInterval | None:
    """A cell's gain over the baseline where it is paired and has an interval."""
    gain = quality_gain(one.technique, here, score) if BASELINE in here else None
    return gain if gain is not None and gain.how != NOT_PAIRED and gain.interval else None


def _difference(one: Scored, score: str) -> Measurement | None:
    """A cell's paired difference to its control, where both are named and it has an interval."""
    found = one.figures.get(score + VS_CONTROL)
    return found if found is not None and found.control and _has_interval(found) else None


def _between(difference: Measurement | None, control: Scored) -> Measurement | None:
    return difference if difference is not None and difference.control == control.technique else None


def _has_interval(figure: Measurement) -> bool:
    return figure.low is not None and figure.high is not None


def _holds(figure: Measurement, value: float) -> bool:
    low, high = _ends(figure)
    return low <= value <= high


def _overlap(first: Measurement, second: Measurement) -> bool:
    (low, high), (other_low, other_high) = _ends(first), _ends(second)
    return low <= other_high and other_low <= high


def _ends(figure: Measurement) -> tuple[float, float]:
    assert figure.low is not None and figure.high is not None  # noqa: S101, PT018  # asked before
    return figure.low, figure.high
