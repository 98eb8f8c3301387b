"""A timing below its bound: a gate asks fresh processes, until two of three agree and their mean does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from statistics import fmean

from suite.metrics import is_paired
from suite.records import Expectation, Measurement, Verdict, VerdictKind
from suite.run.explain import explain

WITHIN = frozenset({VerdictKind.PASS, VerdictKind.IMPROVED, VerdictKind.XPASS})
PAIR = 2  # processes that agree


@dataclass(kw_only=True)
class Confirmation:
    """One cell's timings: ``repeat`` measures them in a fresh process, ``judged`` by the cell's expectations.

    ``limit`` is what a figure has to lie below to have regressed in this run.
    """

    repeat: Callable[[], Mapping[str, Measurement]]
    judged: Callable[[list[Measurement]], list[Verdict]]
    limit: Callable[[Expectation], float | None]
    seen: dict[str, list[float]] = field(default_factory=dict)
    """By metric, what the processes that can be trusted measured."""

    def settled(self, verdicts: list[Verdict]) -> list[Verdict]:
        """The verdicts after the repeats that they need.

        A process that was disturbed, or measured something else, changes nothing; one whose interval holds the bound is
        no second witness, and a third is asked.
        """
        doubtful = {v.metric for v in verdicts if v.kind is VerdictKind.REGRESSED and is_paired(v.metric)}
        self.seen = {v.metric: [v.measurement.value] for v in verdicts if v.metric in doubtful and v.measurement}
        for last in (False, True):
            if doubtful:
                verdicts, doubtful = self._once_more(verdicts, doubtful, last=last)
        return [self._by_mean(verdict) for verdict in verdicts]

    def _once_more(self, verdicts: list[Verdict], doubtful: set[str], *, last: bool) -> tuple[list[Verdict], set[str]]:
        try:
            again = self.repeat()
        except Exception as error:  # noqa: BLE001  # what could not be repeated stays regressed
            failed = f"it could not be repeated: {explain(error)}"
            return [noting(v, failed) if v.metric in doubtful else v for v in verdicts], set()
        second = {v.metric: v for v in self.judged([again[m] for m in doubtful if m in again])}
        found = [_after_repeat(v, second.get(v.metric), last=last) if v.metric in doubtful else v for v in verdicts]
        for metric, verdict in second.items():
            self.seen[metric] += [again[metric].value] if _is_trusted(verdict) else []
        open_ = {m for m in doubtful if m in second and _is_no_witness(second[m])}
        return found, set() if last else open_

    def _by_mean(self, verdict: Verdict) -> Verdict:
        """What was stored is a mean over processes, which differ: two low ones of three may be the luck of the draw."""
        values, limit = self.seen.get(verdict.metric, []), self._limit_of(verdict)
        if verdict.kind is not VerdictKind.REGRESSED or limit is None or len(values) <= PAIR or fmean(values) < limit:
            return verdict
        noted = noting(verdict, f"the mean of {len(values)} processes is {fmean(values):.4g}, not below {limit:.4g}")
        return replace(noted, kind=VerdictKind.INCONCLUSIVE)

    def _limit_of(self, verdict: Verdict) -> float | None:
        return None if verdict.expectation is None else self.limit(verdict.expectation)


def noting(verdict: Verdict, note: str) -> Verdict:
    """The same verdict with one more remark."""
    return replace(verdict, reason="; ".join(filter(None, (verdict.reason, note))))


def _is_no_witness(verdict: Verdict) -> bool:
    """Whether a repeat that could be trusted does not confirm a regression: it lies within the bounds, or may."""
    return verdict.kind in (*WITHIN, VerdictKind.INCONCLUSIVE) and _is_trusted(verdict)


def _is_trusted(verdict: Verdict) -> bool:
    return verdict.measurement is not None and not verdict.measurement.suspect


def _after_repeat(verdict: Verdict, second: Verdict | None, *, last: bool) -> Verdict:
    if second is None or second.measurement is None:
        return noting(verdict, "a fresh process did not measure it")
    value = f"{second.measurement.value:.4g}"
    if second.kind is VerdictKind.REGRESSED:
        return noting(verdict, f"{value} again in a fresh process")
    if not _is_no_witness(second):
        why = second.measurement.suspect or second.reason
        return noting(verdict, f"{value} in a fresh process does not tell ({why})")
    wide = f" ({second.reason})" if second.kind is VerdictKind.INCONCLUSIVE else ""
    noted = noting(verdict, f"{value} in a fresh process does not confirm it{wide}")
    return replace(noted, kind=VerdictKind.INCONCLUSIVE) if last else noted
