"""Judge a run: each measurement by its expectation, and expectations that brought no measurement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from suite.errors import unknown
from suite.expect.judge import judge
from suite.metrics import METRICS, place
from suite.records import Cell, CellFailure, Expectation, Group, Measurement, Verdict, VerdictKind, Where

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
    from datetime import date

Policy = Literal["report", "fail"]
FAILING = frozenset(
    {VerdictKind.REGRESSED, VerdictKind.IMPROVED, VerdictKind.MISSING, VerdictKind.ERROR, VerdictKind.XPASS}
)


def _nothing_near(_: Measurement) -> str | None:
    return None


@dataclass(frozen=True, kw_only=True)
class _Run:
    """What the verdicts of one run depend on beside the measurement itself."""

    entries: Mapping[tuple[str, str, str], Expectation]
    where: Where
    planned: Mapping[Cell, Collection[Group]]
    fresh_processes: bool
    quiet: bool
    near: Callable[[Measurement], str | None]
    today: date


def check(
    *,
    measurements: Iterable[Measurement],
    failures: Iterable[CellFailure],
    expectations: Iterable[Expectation],
    where: Where,
    planned: Mapping[Cell, Collection[Group]],
    fresh_processes: bool,
    quiet: bool,
    near: Callable[[Measurement], str | None] = _nothing_near,
    today: date,
) -> tuple[Verdict, ...]:
    """The verdicts of a run, by the order of ``planned`` and then of the catalogue of metrics; pure.

    ``expectations`` are those that apply here (`suite.expect.Store.find`), of all workloads. ``near`` says why a
    measurement has none. Measurements of cells that were not planned are left out; failures never are.
    """
    measured = [measurement for measurement in measurements if measurement.cell in planned]
    failed = tuple(failures)
    run = _Run(
        entries={(entry.workload, entry.technique, entry.metric): entry for entry in expectations},
        where=where,
        planned=planned,
        fresh_processes=fresh_processes,
        quiet=quiet,
        near=near,
        today=today,
    )
    verdicts = [_of_measurement(run, measurement) for measurement in measured]
    verdicts += [_of_failure(failure) for failure in failed]
    verdicts += _missing(run, measured, failed)
    return tuple(sorted(verdicts, key=_order(planned)))


def fails(verdict: Verdict, *, unverified: Policy = "report", inconclusive: Policy = "report") -> bool:
    """Whether a gate fails by this verdict; the policies make two kinds fail that otherwise are only reported."""
    policies = {VerdictKind.UNVERIFIED: unverified, VerdictKind.INCONCLUSIVE: inconclusive}
    for kind, policy in policies.items():
        if policy not in {"report", "fail"}:
            raise unknown(f"policy for {kind} verdicts", policy, ("report", "fail"))
    return verdict.kind in FAILING or policies.get(verdict.kind) == "fail"


def _of_measurement(run: _Run, measured: Measurement) -> Verdict:
    cell = measured.cell
    entry = run.entries.get((cell.workload, cell.technique, measured.metric))
    if entry is None:
        return _unverified(measured, run.near(measured) or "no expectation is stored")
    if _other_data(entry, run.where):
        return _unverified(measured, _other_data(entry, run.where))
    judgement = judge(measured, entry, quiet=run.quiet, today=run.today)
    return Verdict(
        kind=judgement.kind,
        cell=cell,
        metric=measured.metric,
        group=measured.group,
        reason=judgement.reason,
        measurement=measured,
        expectation=entry,
        stale=_stale(entry, run.where),
    )


def _unverified(measured: Measurement, reason: str) -> Verdict:
    return Verdict(
        kind=VerdictKind.UNVERIFIED,
        cell=measured.cell,
        metric=measured.metric,
        group=measured.group,
        reason=reason,
        measurement=measured,
    )


def _other_data(entry: Expectation, where: Where) -> str:
    """Why the quality was recorded on data that are not comparable; empty where they are, or either is not known."""
    recorded, here = entry.origin.data_digest, where.data_digests.get(entry.workload)
    portable = entry.tier == "portable" and METRICS[entry.metric].group == "quality"
    if not portable or recorded is None or here is None or recorded == here:
        return ""
    return f"other data: recorded on {recorded}, this run has {here}"


def _stale(entry: Expectation, where: Where) -> bool:
    """Recorded under other versions; counts do not depend on them."""
    if entry.tier == "exact":
        return False
    recorded = entry.origin.versions
    return any(recorded[name] != where.versions[name] for name in recorded if name in where.versions)


def _of_failure(failure: CellFailure) -> Verdict:
    kind = VerdictKind(failure.kind)
    return Verdict(kind=kind, cell=failure.cell, metric="", group=failure.group, reason=failure.reason)


def _missing(run: _Run, measured: Collection[Measurement], failures: Collection[CellFailure]) -> Iterator[Verdict]:
    """Verdicts for what should have been measured, in no particular order."""
    present = {(measurement.cell, measurement.metric) for measurement in measured}
    failed = {(failure.cell, failure.group): failure for failure in failures}
    for cell, groups in run.planned.items():
        for entry in _due(run, cell, groups):
            group = METRICS[entry.metric].group
            reason = _why_missing(entry, failed.get((cell, group)), run.where)
            if reason and (cell, entry.metric) not in present:
                yield Verdict(
                    kind=VerdictKind.MISSING,
                    cell=cell,
                    metric=entry.metric,
                    group=group,
                    reason=reason,
                    expectation=entry,
                    stale=_stale(entry, run.where),
                )


def _due(run: _Run, cell: Cell, groups: Collection[Group]) -> Iterator[Expectation]:
    """The expectations that a measurement of ``cell`` has to answer in this run."""
    device = run.where.device.partition(":")[0]
    for name, metric in METRICS.items():
        entry = run.entries.get((cell.workload, cell.technique, name))
        if entry is None or metric.group not in groups or _other_data(entry, run.where):
            continue
        if metric.needs_fresh_process and not run.fresh_processes:
            continue
        if not entry.only or device in entry.only:
            yield entry


def _why_missing(entry: Expectation, failure: CellFailure | None, where: Where) -> str:
    """The reason of a missing measurement; empty where a failure of its group accounts for it."""
    if failure is None:
        return f"{entry.path}:{entry.line} expects it, but it was not measured"
    if failure.kind == "unavailable" and entry.level == where.machine:
        return f"was measured on this machine when recorded; now: {failure.reason}"
    return ""


def _order(planned: Mapping[Cell, Collection[Group]]) -> Callable[[Verdict], tuple[int, tuple[int, int], bool]]:
    cells = {cell: index for index, cell in enumerate(planned)}
    groups: dict[str, tuple[int, int]] = {}
    for name, metric in METRICS.items():
        groups[metric.group] = min(groups.get(metric.group, place(name)), place(name))

    def key(verdict: Verdict) -> tuple[int, tuple[int, int], bool]:
        """A failure of a group comes before the group's first metric; unknown cells and metrics come last."""
        at = place(verdict.metric) if verdict.metric else groups[verdict.group]
        return cells.get(verdict.cell, len(cells)), at, bool(verdict.metric)

    return key
