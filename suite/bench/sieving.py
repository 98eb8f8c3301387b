"""Tell the measurements of a run whose verdict is clear at a glance from those that `suite.gate.check` has to judge.

Of a fleet's million measurements nearly all pass or have no expectation, and a whole judgement of each takes minutes.
A measurement is clear only if no rule of the gate but the bounds can decide it; every doubt leaves it to the gate.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from suite.core.metrics import ABSOLUTE_UNITS, METRICS, metric
from suite.core.records import Expectation, Tier, VerdictKind, Where
from suite.gate.files.match import other_data
from suite.report.results.lines import CountedMeasurement

Key = tuple[str, str, str]
"""Workload, technique and metric."""


@dataclass(frozen=True, kw_only=True)
class Glance:
    """What a measurement must be to pass by its entry at a glance: of this tier and unit, and within the bounds.

    ``seeds`` are those that it needs at least, if it has any; ``by_interval`` compares the ends of its interval.
    """

    low: float | None
    high: float | None
    tier: Tier
    unit: str
    by_interval: bool
    timed: bool
    seeds: int
    conditions: Mapping[str, int | str]

    def passes(self, measured: CountedMeasurement, *, quiet: bool) -> bool:
        """Whether the measurement passes, whatever else the gate looks at; shares of items are too few to tell."""
        if measured.suspect is not None or (measured.share and self.tier != "exact") or (self.timed and not quiet):
            return False
        if (measured.tier, measured.unit) != (self.tier, self.unit) or (
            self.seeds and 0 < len(measured.seeds) != self.seeds
        ):
            return False
        low, high = (measured.low, measured.high) if self.by_interval else (measured.value, measured.value)
        within = low is not None and high is not None and low <= high and self._within(low, high)
        return within and all(measured.conditions.get(key, value) == value for key, value in self.conditions.items())

    def _within(self, low: float, high: float) -> bool:
        return (self.low is None or low >= self.low) and (self.high is None or high <= self.high)


class Sieve:
    """Glances at the measurements of runs; the glance at an entry is prepared once for all runs.

    ``counts_unexpected`` says that a measurement without expectation is clear: nobody asks why it has none.
    """

    def __init__(self, *, counts_unexpected: bool) -> None:
        self.counts_unexpected = counts_unexpected
        self._known: dict[int, tuple[Expectation, Glance | None]] = {}

    def glances(self, entries: Iterable[Expectation], where: Where) -> dict[Key, Glance | None]:
        """The glance at each entry that applies in a run; ``None`` where a glance never tells."""
        return {
            (entry.workload, entry.technique, entry.metric): None if other_data(entry, where) else self._glance(entry)
            for entry in entries
        }

    def clear(
        self, measured: CountedMeasurement, glances: Mapping[Key, Glance | None], *, quiet: bool
    ) -> VerdictKind | None:
        """The verdict if it is clear, else ``None``."""
        key = (measured.cell.workload, measured.cell.technique, measured.metric)
        if key not in glances:
            return VerdictKind.UNVERIFIED if self.counts_unexpected else None
        glance = glances[key]
        return VerdictKind.PASS if glance is not None and glance.passes(measured, quiet=quiet) else None

    def _glance(self, entry: Expectation) -> Glance | None:
        """By the entry itself, which is kept: another one could else get its place in memory."""
        if id(entry) not in self._known:
            self._known[id(entry)] = (entry, _glance_of(entry))
        return self._known[id(entry)][1]


def _glance_of(entry: Expectation) -> Glance | None:
    of_family = entry.level == "any" and entry.tier in ("family", "local") and entry.seen
    if entry.metric not in METRICS or entry.xfail is not None or of_family:
        return None
    row = metric(entry.metric)
    by_interval = row.judged == "interval"
    counts_seeds = row.group == "quality" and not by_interval and entry.tier != "exact"
    return Glance(
        low=entry.low, high=entry.high, tier=entry.tier, unit=entry.unit, by_interval=by_interval,
        timed=by_interval or entry.unit in ABSOLUTE_UNITS, seeds=(entry.seeds or 0) if counts_seeds else 0,
        conditions=entry.conditions,
    )  # fmt: skip
