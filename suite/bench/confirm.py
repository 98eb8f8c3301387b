"""A timing below its bound is repeated in fresh processes: it regresses if two of three and their mean are below."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from statistics import fmean

from suite.bench.explain import explain
from suite.core.metrics import is_paired
from suite.core.records import Measurement, Reason, Verdict, VerdictKind

WITHIN = frozenset({VerdictKind.PASS, VerdictKind.IMPROVED, VerdictKind.XPASS})
ANSWERS = WITHIN | {VerdictKind.REGRESSED, VerdictKind.INCONCLUSIVE}
PAIR = 2  # processes that agree


@dataclass(kw_only=True)
class Confirmation:
    """One cell's timings: ``repeat`` measures them in a fresh process, ``judged`` by the cell's expectations.

    With ``replaces_suspect`` a sample that was disturbed is replaced by one of a fresh process, once.
    """

    repeat: Callable[[], Mapping[str, Measurement]]
    judged: Callable[[list[Measurement]], list[Verdict]]
    replaces_suspect: bool = False
    seen: dict[str, list[float]] = field(default_factory=dict)
    """By metric, the values of undisturbed processes."""
    contradicted: set[str] = field(default_factory=set)
    """Metrics whose regression an undisturbed process did not confirm."""

    def settled(self, verdicts: list[Verdict]) -> list[Verdict]:
        """The verdicts after the repeats that they need.

        A repeat whose interval contains the bound confirms nothing, so a third process measures. A process that was
        disturbed, or did not measure the metric, changes nothing. So an uncontradicted regression stays regressed, and
        a contradicted one becomes inconclusive.
        """
        if self.replaces_suspect:
            verdicts = self._undisturbed(verdicts)
        doubtful = {v.metric for v in verdicts if v.kind is VerdictKind.REGRESSED and is_paired(v.metric)}
        self.seen = {v.metric: [v.measurement.value] for v in verdicts if v.metric in doubtful and v.measurement}
        for last in (False, True):
            if doubtful:
                verdicts, doubtful = self._once_more(verdicts, doubtful, last=last)
        return [self._by_mean(verdict) for verdict in verdicts]

    def _undisturbed(self, verdicts: list[Verdict]) -> list[Verdict]:
        """The verdicts, with disturbed samples replaced by those of an undisturbed fresh process."""
        suspect = {v.metric for v in verdicts if _is_suspect(v)}
        if not suspect:
            return verdicts
        second, absent = self._asked(suspect)
        return [_instead(v, second.get(v.metric), absent) if v.metric in suspect else v for v in verdicts]

    def _once_more(self, verdicts: list[Verdict], doubtful: set[str], *, last: bool) -> tuple[list[Verdict], set[str]]:
        second, absent = self._asked(doubtful)
        open_ = {metric for metric, verdict in second.items() if _is_no_witness(verdict)}
        self.contradicted |= open_
        for metric, verdict in second.items():
            if _is_trusted(verdict) and verdict.measurement is not None:
                self.seen[metric].append(verdict.measurement.value)
        found = [
            self._after_repeat(v, second.get(v.metric), absent, last=last) if v.metric in doubtful else v
            for v in verdicts
        ]
        return found, set() if last else open_

    def _asked(self, metrics: set[str]) -> tuple[dict[str, Verdict], str]:
        """A fresh process's verdicts of the ``metrics``, and the remark on those that it did not measure. The cell's
        other metrics are ignored.
        """
        try:
            again = self.repeat()
        except Exception as error:  # noqa: BLE001  # what could not be repeated stays as it was
            return {}, f"the repeat in a fresh process failed: {explain(error)}"
        found = self.judged([again[metric] for metric in metrics if metric in again])
        return {v.metric: v for v in found if v.metric in metrics}, "a fresh process did not measure it"

    def _after_repeat(self, verdict: Verdict, second: Verdict | None, absent: str, *, last: bool) -> Verdict:
        if second is None or second.measurement is None:
            return self._standing(noting(verdict, absent))
        value = f"{second.measurement.value:.4g}"
        if _is_no_witness(second):
            wide = f" ({second.reason})" if second.kind is VerdictKind.INCONCLUSIVE else ""
            noted = noting(verdict, f"{value} in a fresh process does not confirm it{wide}")
            return replace(noted, kind=VerdictKind.INCONCLUSIVE, code=Reason.UNCONFIRMED) if last else noted
        if second.kind is VerdictKind.REGRESSED and _is_trusted(second):
            return noting(verdict, f"{value} in a fresh process confirms it")
        why = second.measurement.suspect or second.reason
        return self._standing(noting(verdict, f"{value} in a fresh process does not count ({why})"))

    def _standing(self, verdict: Verdict) -> Verdict:
        """An unconfirmed regression: it stays regressed unless a process contradicted it."""
        contradicted = verdict.metric in self.contradicted
        unconfirmed = replace(verdict, kind=VerdictKind.INCONCLUSIVE, code=Reason.UNCONFIRMED)
        return unconfirmed if contradicted else verdict

    def _by_mean(self, verdict: Verdict) -> Verdict:
        """The stored value is a mean over processes, which differ: two low ones of three may be chance."""
        values, limit = self.seen.get(verdict.metric, []), verdict.threshold
        if verdict.kind is not VerdictKind.REGRESSED or limit is None or len(values) <= PAIR or fmean(values) < limit:
            return verdict
        noted = noting(verdict, f"the mean of {len(values)} processes is {fmean(values):.4g}, not below {limit:.4g}")
        return replace(noted, kind=VerdictKind.INCONCLUSIVE, code=Reason.UNCONFIRMED)


def noting(verdict: Verdict, note: str) -> Verdict:
    """The same verdict with one more remark."""
    return replace(verdict, reason="; ".join(filter(None, (verdict.reason, note))))


def _instead(first: Verdict, second: Verdict | None, absent: str) -> Verdict:
    """A fresh process's verdict in place of a disturbed one; the first if the repeat failed or was disturbed too."""
    if second is None or second.measurement is None:
        return noting(first, absent)
    if not _is_trusted(second):
        return noting(first, "a fresh process was disturbed as well")
    was = first.measurement.suspect if first.measurement else ""
    return noting(second, f"measured in a fresh process, since the first sample was suspect: {was}")


def _is_suspect(verdict: Verdict) -> bool:
    """Whether a timing that has an expectation is inconclusive because something disturbed it."""
    found = verdict.measurement
    open_ = verdict.kind is VerdictKind.INCONCLUSIVE and verdict.expectation is not None
    return open_ and is_paired(verdict.metric) and found is not None and bool(found.suspect)


def _is_no_witness(verdict: Verdict) -> bool:
    """Whether an undisturbed repeat does not confirm a regression: its interval is within bounds or contains one."""
    return verdict.kind is not VerdictKind.REGRESSED and _is_trusted(verdict)


def _is_trusted(verdict: Verdict) -> bool:
    """Whether a verdict comes from an undisturbed measurement that the expectation applies to."""
    return verdict.kind in ANSWERS and verdict.measurement is not None and not verdict.measurement.suspect
