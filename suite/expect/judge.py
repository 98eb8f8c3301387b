"""Judge one measurement by one expectation."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING

from suite.expect.run_wide import spared
from suite.metrics import TIME_UNITS, WORST_SEED, metric
from suite.records import Expectation, Measurement, VerdictKind, XFail

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

MOST_TIMES = 100  # as many rounds: nobody waits for that, and drift would not let it happen
ABSOLUTE = "an absolute time moves with the machine; the paired figures decide"


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """What the comparison says, and why."""

    kind: VerdictKind
    reason: str = ""

    def noting(self, note: str) -> Judgement:
        """The same judgement with one more remark."""
        return Judgement(kind=self.kind, reason="; ".join(filter(None, (self.reason, note))))


@dataclass(frozen=True, kw_only=True)
class _Bounds:
    low: float | None
    high: float | None
    note: str = ""


def judge(measured: Measurement, entry: Expectation, *, quiet: bool, today: date, timings: int = 1) -> Judgement:
    """The judgement of a measurement that has an expectation; pure. The run judges ``timings`` ratios of times."""
    doubt = untold(measured, quiet=quiet)
    if doubt:
        return Judgement(kind=VerdictKind.INCONCLUSIVE, reason=doubt)
    if math.isnan(measured.value):
        return Judgement(kind=VerdictKind.ERROR, reason=f"measured {measured.value!r}, which no bound can judge")
    bounds = _bounds(measured, entry)
    judgement = _of_absolute_time(_compare(measured, entry, bounds), measured)
    judgement = _of_whole_run(judgement, measured, entry, timings)
    return consider_xfail(judgement.noting(bounds.note), entry.xfail, today)


def untold(measured: Measurement, *, quiet: bool) -> str:
    """Why a measurement says nothing, whatever its value."""
    if measured.suspect:
        return measured.suspect
    timed = measured.unit in TIME_UNITS
    if not quiet and (timed or _by_interval(measured)):
        return "not measured in a quiet process"
    return ""


def _by_interval(measured: Measurement) -> bool:
    return metric(measured.metric).judged == "interval"


def _bounds(measured: Measurement, entry: Expectation) -> _Bounds:
    """The entry's bounds; where fewer seeds were run, those of the same seeds, or else wider ones."""
    if not _fewer_seeds(measured, entry):
        return _Bounds(low=entry.low, high=entry.high)
    if entry.by_seed.keys() >= set(measured.seeds):
        return _of_same_seeds(measured, entry)
    return _widened(measured, entry)


def _fewer_seeds(measured: Measurement, entry: Expectation) -> bool:
    if entry.tier == "exact" or measured.group != "quality" or _by_interval(measured):
        return False
    return 0 < len(measured.seeds) < (entry.seeds or 0)


def _of_same_seeds(measured: Measurement, entry: Expectation) -> _Bounds:
    """The bounds as far from the stored values of the measured seeds as the entry's are from its own value."""
    values = [entry.by_seed[seed] for seed in measured.seeds]
    reference = _worst(values, entry) if measured.metric.endswith(WORST_SEED) else fmean(values)
    low, high = (None if bound is None else reference + (bound - entry.value) for bound in _provable(entry))
    seeds = ", ".join(str(seed) for seed in measured.seeds)
    note = f"compared with {_number(reference)}, stored for the same seeds ({seeds})"
    return _Bounds(low=low, high=high, note=note)


def _provable(entry: Expectation) -> tuple[float | None, float | None]:
    """The bounds that a few seeds can be held against: of several machines the least favourable values are stored,
    beyond which nothing proves an improvement.
    """
    if len(entry.seen) < 2:  # noqa: PLR2004  # one machine
        return entry.low, entry.high
    return (entry.low, None) if entry.better == "higher" else (None, entry.high)


def _worst(values: Sequence[float], entry: Expectation) -> float:
    return min(values) if entry.better == "higher" else max(values)


def _widened(measured: Measurement, entry: Expectation) -> _Bounds:
    """A mean over n seeds spreads as 1 / sqrt(n); the worst of fewer seeds is no worse, its bound holds as it is."""
    if measured.metric.endswith(WORST_SEED):
        return _Bounds(low=entry.low, high=entry.high)
    factor = math.sqrt((entry.seeds or 1) / len(measured.seeds))
    low, high = (
        None if bound is None else entry.value + (bound - entry.value) * factor for bound in (entry.low, entry.high)
    )
    note = f"bounds widened by {factor:.3g}: {len(measured.seeds)} seeds, recorded with {entry.seeds}"
    return _Bounds(low=low, high=high, note=note)


def _compare(measured: Measurement, entry: Expectation, bounds: _Bounds) -> Judgement:
    if not _by_interval(measured):
        return _place(measured.value, measured.value, entry, bounds, _number(measured.value))
    if measured.low is None or measured.high is None:
        return Judgement(kind=VerdictKind.INCONCLUSIVE, reason=f"{_number(measured.value)} has no interval")
    shown = f"{_number(measured.value)} [{_number(measured.low)}, {_number(measured.high)}]"
    found = _place(measured.low, measured.high, entry, bounds, shown)
    return found.noting(_needed(measured, bounds)) if found.kind is VerdictKind.INCONCLUSIVE else found


def _needed(measured: Measurement, bounds: _Bounds) -> str:
    """How long a sample would have to be for its interval to clear the bound that it holds.

    An interval narrows with the square root of the rounds, about the value seen.
    """
    low, high = float(measured.low or 0.0), float(measured.high or 0.0)
    held = [bound for bound in (bounds.low, bounds.high) if bound is not None and low <= bound <= high]
    reaches = {bound: measured.value - low if measured.value > bound else high - measured.value for bound in held}
    ways = {bound: abs(measured.value - bound) for bound in held}
    times = max((reaches[bound] / ways[bound]) ** 2 if ways[bound] else math.inf for bound in held)
    if times > MOST_TIMES:
        return "the value lies on the bound: no length of a sample decides it"
    return f"about {math.ceil(times * measured.n)} rounds instead of {measured.n} would decide it"


def _of_absolute_time(judgement: Judgement, measured: Measurement) -> Judgement:
    """On a shared machine such times move by a third within hours, so that beyond a bound they prove nothing."""
    if measured.unit not in TIME_UNITS or judgement.kind is VerdictKind.PASS:
        return judgement
    return Judgement(kind=VerdictKind.INCONCLUSIVE, reason=judgement.reason).noting(ABSOLUTE)


def _of_whole_run(judgement: Judgement, measured: Measurement, entry: Expectation, timings: int) -> Judgement:
    """A regression that drift brings about somewhere in so many timings is none."""
    why = spared(measured, entry, timings) if judgement.kind is VerdictKind.REGRESSED else ""
    return Judgement(kind=VerdictKind.INCONCLUSIVE, reason=judgement.reason).noting(why) if why else judgement


def _place(low: float, high: float, entry: Expectation, bounds: _Bounds, shown: str) -> Judgement:
    """Where the interval [``low``, ``high``] lies: within the bounds, beyond one of them, or across."""
    above_low = bounds.low is None or low >= bounds.low
    below_high = bounds.high is None or high <= bounds.high
    if above_low and below_high:
        return Judgement(kind=VerdictKind.PASS)
    if bounds.low is not None and high < bounds.low:
        kind = VerdictKind.REGRESSED if entry.better == "higher" else VerdictKind.IMPROVED
        return Judgement(kind=kind, reason=f"{shown} lies below low = {_number(bounds.low)}")
    if bounds.high is not None and low > bounds.high:
        kind = VerdictKind.REGRESSED if entry.better == "lower" else VerdictKind.IMPROVED
        return Judgement(kind=kind, reason=f"{shown} lies above high = {_number(bounds.high)}")
    crossed = f"high = {_number(bounds.high)}" if above_low else f"low = {_number(bounds.low)}"
    return Judgement(kind=VerdictKind.INCONCLUSIVE, reason=f"the interval of {shown} holds {crossed}")


def consider_xfail(judgement: Judgement, xfail: XFail | None, today: date) -> Judgement:
    """The judgement of what is marked to fail."""
    if xfail is None:
        return judgement
    if xfail.until < today:
        return judgement.noting(f"xfail expired on {xfail.until}: {xfail.reason}")
    if judgement.kind is VerdictKind.REGRESSED:
        return Judgement(kind=VerdictKind.XFAIL, reason=judgement.reason).noting(xfail.reason)
    if judgement.kind is VerdictKind.PASS:
        note = f"passes, but is marked to fail until {xfail.until}; remove its xfail: {xfail.reason}"
        return Judgement(kind=VerdictKind.XPASS, reason=judgement.reason).noting(note)
    return judgement


def _number(value: float | None) -> str:
    """Short, and still exact for counts: a count that is off by one must not look like its bound."""
    if value is None:
        return "none"
    return str(int(value)) if math.isfinite(value) and value == int(value) else f"{value:.6g}"
