"""Judge one measurement by one expectation."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from suite.core.fingerprints import differences
from suite.core.metrics import ABSOLUTE_UNITS, metric
from suite.core.records import Expectation, Measurement, Reason, VerdictKind, XFail
from suite.core.stats.proportions import too_few
from suite.gate.error_rate import spared
from suite.gate.evidence import Evidence, weigh
from suite.gate.seed_subset import Bounds
from suite.gate.wording import comparison, figure

if TYPE_CHECKING:
    from datetime import date

MOST_TIMES = 100  # as many rounds: nobody waits for that, and drift would not let it happen
ABSOLUTE = "absolute times vary with the machine's load; the paired metrics decide"


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """A verdict kind, and the reason for it."""

    kind: VerdictKind
    code: Reason
    reason: str = ""
    evidence: Evidence | None = None

    def noting(self, note: str) -> Judgement:
        """The same judgement with one more remark."""
        return replace(self, reason="; ".join(filter(None, (self.reason, note)))) if note else self

    def open(self, code: Reason, note: str) -> Judgement:
        """The same judgement made inconclusive, for the reason of ``code``."""
        return replace(self, kind=VerdictKind.INCONCLUSIVE, code=code).noting(note)


def judge(measured: Measurement, entry: Expectation, *, quiet: bool, today: date, timings: int = 1) -> Judgement:
    """The judgement of a measurement that has an expectation; pure. The run judges ``timings`` ratios of times."""
    evidence = weigh(measured, entry, timings)
    judgement = disturbed(measured, quiet=quiet) or consider_xfail(
        _by_bounds(measured, entry, evidence, timings), entry.xfail, today
    )
    return replace(judgement, evidence=evidence)


def _by_bounds(measured: Measurement, entry: Expectation, evidence: Evidence, timings: int) -> Judgement:
    if math.isnan(measured.value):
        reason = f"measured {measured.value!r}, which cannot be compared with a bound"
        return Judgement(kind=VerdictKind.ERROR, code=Reason.NOT_A_NUMBER, reason=reason)
    judgement = _of_absolute_time(_compare(measured, entry, evidence.bounds), measured)
    judgement = _of_whole_run(judgement, measured, entry, evidence, timings)
    return judgement.noting(evidence.bounds.note).noting(_changes(judgement, measured, entry))


def _changes(judgement: Judgement, measured: Measurement, entry: Expectation) -> str:
    """What came and went in a count that is not the stored one: ``+2 aten.copy_, at model.py:41``."""
    unknown = not entry.fingerprint and entry.value != 0  # of what the stored count was made
    if judgement.kind is VerdictKind.PASS or unknown:
        return ""
    return "; ".join(differences(measured.fingerprint, entry.fingerprint, measured.lines))


def disturbed(measured: Measurement, *, quiet: bool) -> Judgement | None:
    """The judgement of a measurement that does not count, whatever its value; ``None`` for any other."""
    if measured.suspect:
        return Judgement(kind=VerdictKind.INCONCLUSIVE, code=Reason.SUSPECT, reason=measured.suspect)
    timed = measured.unit in ABSOLUTE_UNITS
    if not quiet and (timed or _by_interval(measured)):
        reason = "not measured in a quiet process"
        return Judgement(kind=VerdictKind.INCONCLUSIVE, code=Reason.NOT_QUIET, reason=reason)
    return None


def _by_interval(measured: Measurement) -> bool:
    return metric(measured.metric).judged == "interval"


def _compare(measured: Measurement, entry: Expectation, bounds: Bounds) -> Judgement:
    if not _by_interval(measured):
        return _of_share(_place(measured, measured.value, measured.value, entry, bounds), measured, bounds)
    if measured.low is None or measured.high is None:
        reason = f"{figure(measured.value)} was measured without an interval"
        return Judgement(kind=VerdictKind.INCONCLUSIVE, code=Reason.NO_INTERVAL, reason=reason)
    found = _place(measured, measured.low, measured.high, entry, bounds)
    return found.noting(_needed(measured, bounds)) if found.kind is VerdictKind.INCONCLUSIVE else found


def _of_share(judgement: Judgement, measured: Measurement, bounds: Bounds) -> Judgement:
    """With few test items a loss may go unseen, so a pass does not count."""
    why = too_few(measured, bounds) if judgement.kind is VerdictKind.PASS and measured.tier != "exact" else ""
    return judgement.open(Reason.FEW_ITEMS, why) if why else judgement


def _needed(measured: Measurement, bounds: Bounds) -> str:
    """How long a sample has to be until its interval no longer contains the bound.

    An interval narrows with the square root of the rounds, around the measured value.
    """
    low, high = float(measured.low or 0.0), float(measured.high or 0.0)
    held = [bound for bound in (bounds.low, bounds.high) if bound is not None and low <= bound <= high]
    reaches = {bound: measured.value - low if measured.value > bound else high - measured.value for bound in held}
    ways = {bound: abs(measured.value - bound) for bound in held}
    times = max((reaches[bound] / ways[bound]) ** 2 if ways[bound] else math.inf for bound in held)
    if times > MOST_TIMES:
        return "the value is so close to the bound that no sample length decides it"
    rounds = f"{math.ceil(times * measured.n)} rounds instead of {measured.n}"
    return f"a sample {times:.2g} times as long would decide it ({rounds})"


def _of_absolute_time(judgement: Judgement, measured: Measurement) -> Judgement:
    """On a shared machine times and energies move by a third within hours, so a crossed bound proves nothing."""
    if measured.unit not in ABSOLUTE_UNITS or judgement.kind is VerdictKind.PASS:
        return judgement
    why = ABSOLUTE.replace("times", "energies") if measured.unit == "J" else ABSOLUTE
    return judgement.open(Reason.ABSOLUTE_TIME, why)


def _of_whole_run(
    judgement: Judgement, measured: Measurement, entry: Expectation, evidence: Evidence, timings: int
) -> Judgement:
    """A regression does not count if drift alone may cause one among so many timings."""
    regressed = judgement.kind is VerdictKind.REGRESSED
    why = spared(measured, entry, evidence.threshold, timings) if regressed else ""
    return judgement.open(Reason.RUN_THRESHOLD, why) if why else judgement


def _place(measured: Measurement, low: float, high: float, entry: Expectation, bounds: Bounds) -> Judgement:
    """The judgement of the interval [``low``, ``high``]: within the bounds, beyond one of them, or across."""
    above_low = bounds.low is None or low >= bounds.low
    below_high = bounds.high is None or high <= bounds.high
    if above_low and below_high:
        return Judgement(kind=VerdictKind.PASS, code=Reason.WITHIN)
    if bounds.low is not None and high < bounds.low:
        kind = VerdictKind.REGRESSED if entry.better == "higher" else VerdictKind.IMPROVED
        return Judgement(kind=kind, code=Reason.BELOW, reason=comparison(measured, bounds.value, bounds.low))
    if bounds.high is not None and low > bounds.high:
        kind = VerdictKind.REGRESSED if entry.better == "lower" else VerdictKind.IMPROVED
        return Judgement(kind=kind, code=Reason.ABOVE, reason=comparison(measured, bounds.value, bounds.high))
    crossed = bounds.high if above_low else bounds.low
    assert crossed is not None  # noqa: S101  # the interval is not within the bounds, and beyond neither
    reason = comparison(measured, bounds.value, crossed, crossed=True)
    return Judgement(kind=VerdictKind.INCONCLUSIVE, code=Reason.STRADDLES, reason=reason)


def consider_xfail(judgement: Judgement, xfail: XFail | None, today: date) -> Judgement:
    """The judgement of a metric that may be marked as an expected failure."""
    if xfail is None:
        return judgement
    if xfail.until < today:
        return judgement.noting(f"xfail expired on {xfail.until}: {xfail.reason}")
    if judgement.kind is VerdictKind.REGRESSED:
        return replace(judgement, kind=VerdictKind.XFAIL).noting(xfail.reason)
    if judgement.kind is VerdictKind.PASS:
        note = f"passes, although it is marked to fail until {xfail.until}; remove its xfail: {xfail.reason}"
        return replace(judgement, kind=VerdictKind.XPASS).noting(note)
    return judgement
