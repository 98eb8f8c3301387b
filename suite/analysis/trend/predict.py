"""Whether the interval of a run predicts the next run of the same code: alone, and with what earlier runs differed by.

Two intervals at 99 % of one ratio that does not move meet in at least 98 of 100 pairs. Ratios of different networks do
move with the hour, which no run can see in itself; runs at different times can.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from suite.analysis.trend.changes import noise_of
from suite.core.metrics import is_paired
from suite.core.stats.intervals import wilson
from suite.report.history.entries import HistoryEntry

WANTED = 0.98  # of pairs
CONFIDENCE = 0.99  # of a prediction from earlier runs, as of the runs' own intervals
EARLIER = 3  # runs: the spread of fewer says next to nothing


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two runs of one figure, one after the other, of the same code; ``alone`` and ``widened`` say what met.

    ``widened`` is ``None`` where fewer than three runs of the same code came before the second one.
    """

    alone: bool
    widened: bool | None


def pairs(series: Iterable[Sequence[HistoryEntry]]) -> list[Pair]:
    """All of ratios of times; each series holds the runs of one figure, oldest first."""
    return [pair for entries in series for pair in _pairs(entries)]


def lines(found: Sequence[Pair]) -> Iterator[str]:
    """How many of the pairs met, with 95 % intervals; nothing without pairs."""
    if not found:
        return
    alone = [pair.alone for pair in found]
    widened = [pair.widened for pair in found if pair.widened is not None]
    yield f"the 99 % interval of a run meets that of the next one on the same code in {_share(alone)}"
    if widened:
        yield f"widened by what the runs before differed by, in {_share(widened)}{_short(widened)}"


def _pairs(entries: Sequence[HistoryEntry]) -> Iterator[Pair]:
    values = np.array([entry.value for entry in entries])
    for k, (before, after) in enumerate(pairwise(entries)):
        bounds = (before.low, before.high, after.low, after.high)
        if is_paired(before.metric) and None not in bounds and is_same_code(before, after) and (values > 0).all():
            low, high, least, greatest = (math.log(max(bound or 0.0, 1e-12)) for bound in bounds)
            gap = max(least - high, low - greatest, 0.0)
            earlier = [one.value for one in entries[: k + 1] if is_same_code(one, before)]
            reach = _reach(np.log(earlier)) if len(earlier) >= EARLIER else None
            yield Pair(alone=gap == 0, widened=None if reach is None else gap <= reach)


def _reach(earlier: np.ndarray) -> float:
    """How far apart two more runs lie at most, by what ``earlier`` ones [n] differed by.

    Student's t with as many degrees of freedom as the mean square of successive differences has, which are fewer than
    n - 1: its variance is ``s^4 (3n - 4) / (n - 1)^2`` (von Neumann, Annals of Mathematical Statistics 12 (1941)).
    """
    from scipy.special import stdtrit  # scipy is slow to import

    n = len(earlier)
    degrees = 2 * (n - 1) ** 2 / (3 * n - 4)
    return float(stdtrit(degrees, 1 - (1 - CONFIDENCE) / 2)) * math.sqrt(2) * noise_of(earlier)


def is_same_code(before: HistoryEntry, after: HistoryEntry) -> bool:
    """Whether commit and versions are known and the same on both sides: an A/A comparison."""
    same = (before.commit, dict(before.versions)) == (after.commit, dict(after.versions))
    return same and before.commit is not None and not before.dirty and not after.dirty


def _short(held: Sequence[bool]) -> str:
    """What to say where chance does not explain that fewer than wanted met."""
    enough = wilson(sum(held), len(held), 0.95)[1] >= WANTED
    return "" if enough else f": too few, where at least {WANTED:.0%} should; runs differ by more than earlier ones did"


def _share(held: Sequence[bool]) -> str:
    low, high = wilson(sum(held), len(held), 0.95)
    return f"{sum(held)} of {len(held)} pairs ({sum(held) / len(held):.1%} [{low:.1%}, {high:.1%}])"
