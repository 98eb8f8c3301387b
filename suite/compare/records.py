"""What a comparison found, as the records of a run: GitHub, histories and pages read one kind of verdict."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from suite.compare.exact import Exact
from suite.compare.judge import CONFIDENCE, LOOKS, Rules, Timing, Verdict, estimate
from suite.compare.measure import Compared
from suite.core import records
from suite.core.metrics import METRICS
from suite.core.records import Better, Cell, Measurement, Reason, VerdictKind

KINDS = {"same": VerdictKind.PASS, "differs": VerdictKind.PASS}
"""Verdicts of sizes that a comparison has beside the usual ones."""


def as_records(found: Sequence[Compared], verdicts: Sequence[Verdict], rules: Rules) -> list[records.Verdict]:
    """One verdict a metric, and one for a cell that could not be compared; ``verdicts`` of all timings in order.

    The value of a timing is the reference's time over the current code's, with the interval of all looks together.
    """
    waiting = iter(verdicts)
    return [record for one in found for record in _of_cell(one, [next(waiting) for _ in one.timings], rules)]


def _of_cell(one: Compared, verdicts: Sequence[Verdict], rules: Rules) -> Iterator[records.Verdict]:
    cell = _cell(one)
    for exact in one.exact:
        yield _of_size(cell, exact)
    if one.problem is not None:
        kind, reason = one.problem
        yield records.Verdict(
            kind=_kind(kind), cell=cell, metric="", group="speed", reason=reason,
            code=Reason.FAILED,
        )  # fmt: skip
        return
    for timing, verdict in zip(one.timings, verdicts, strict=True):
        yield _of_timing(cell, timing, _kind(verdict), rules)


def _kind(verdict: Verdict) -> VerdictKind:
    return KINDS.get(verdict) or VerdictKind(verdict)


def _cell(one: Compared) -> Cell:
    assert one.request is not None  # noqa: S101  # `compare_cell` asks for a cell before it finds anything
    return Cell(workload=one.request.workload, technique=one.request.technique, device=one.request.device)


def _of_size(cell: Cell, exact: Exact) -> records.Verdict:
    kind = _kind(exact.verdict)
    before = f"{exact.current:.3g}" if exact.reference is None else f"{exact.reference:.6g} -> {exact.current:.6g}"
    size = None
    if math.isfinite(exact.current):  # outputs of another shape are infinitely far away, which no record holds
        size = Measurement(
            cell=cell, metric=exact.metric, value=float(exact.current), unit="1", better=_better(exact), tier="exact",
            group="size",
        )  # fmt: skip
    return records.Verdict(
        kind=kind, cell=cell, metric=exact.metric, group="size", reason="; ".join((before, *exact.changes)),
        measurement=size, code=_code(exact, kind),
    )  # fmt: skip


def _better(exact: Exact) -> Better:
    return METRICS[exact.metric].better if exact.metric in METRICS else "lower"


def _code(exact: Exact, kind: VerdictKind) -> Reason:
    if kind is VerdictKind.INCONCLUSIVE:
        return Reason.SUSPECT
    if kind is VerdictKind.REGRESSED:
        return Reason.ABOVE if _better(exact) == "lower" else Reason.BELOW
    return Reason.WITHIN


def _of_timing(cell: Cell, timing: Timing, kind: VerdictKind, rules: Rules) -> records.Verdict:
    if len(timing.looked) < LOOKS:
        return records.Verdict(
            kind=kind, cell=cell, metric=timing.metric, group="speed", reason=timing.trouble or "no pair was timed",
            code=Reason.SUSPECT,
        )  # fmt: skip
    ratio = estimate(timing.looked)
    measurement = Measurement(
        cell=cell, metric=timing.metric, value=ratio.ratio, low=ratio.low, high=ratio.high, confidence=CONFIDENCE,
        n=ratio.pairs, unit="1", better="higher", tier="local", group="speed", suspect=timing.trouble,
    )  # fmt: skip
    span = f"{ratio.ratio:.4f} [{ratio.low:.4f}, {ratio.high:.4f}]"
    codes = {VerdictKind.PASS: Reason.WITHIN, VerdictKind.REGRESSED: Reason.BELOW}
    return records.Verdict(
        kind=kind, cell=cell, metric=timing.metric, group="speed", measurement=measurement,
        reason=f"{span} of the reference's speed over {ratio.pairs} pairs",
        code=codes.get(kind, Reason.STRADDLES), threshold=rules.failing,
    )  # fmt: skip
