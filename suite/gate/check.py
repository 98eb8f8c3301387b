"""Judge a run: each measurement by its expectation, and expectations that brought no measurement."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Required, TypedDict, Unpack

from suite.core.metrics import METRICS, place
from suite.core.records import Cell, CellFailure, Expectation, Group, Measurement, Reason, Verdict, VerdictKind, Where
from suite.gate.files.match import (
    VERSIONS,
    must_answer,
    other_conditions,
    other_data,
    other_environment,
    other_family,
    other_hardware,
    other_versions,
)
from suite.gate.judge import Judgement, judge
from suite.gate.seed_subset import as_known_at, of_recorded_seeds

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
    from datetime import date


UNEXPLAINED = 100.0  # times its control's training: missing instructions cost up to fifty times (`suite.bench.pace`)
ESTIMATE = 1.5  # times the stored factor: what one from three steps may be off by (`suite.bench.pace`)


def _nothing_near(_: Measurement) -> str | None:
    return None


class Circumstances(TypedDict, total=False):
    """What the verdicts of one run depend on beside its figures.

    ``near`` says why a measurement has no expectation. ``timings`` are the ratios of times that the whole run judges,
    of which these may be a part.
    """

    where: Required[Where]
    planned: Required[Mapping[Cell, Collection[Group]]]
    fresh_processes: Required[bool]
    quiet: Required[bool]
    today: Required[date]
    near: Callable[[Measurement], str | None]
    timings: int


@dataclass(frozen=True, kw_only=True)
class _Run:
    entries: Mapping[tuple[str, str, str], Expectation]
    where: Where
    planned: Mapping[Cell, Collection[Group]]
    fresh_processes: bool
    quiet: bool
    today: date
    near: Callable[[Measurement], str | None] = _nothing_near
    timings: int = 1


def check(
    *,
    measurements: Iterable[Measurement],
    failures: Iterable[CellFailure],
    expectations: Iterable[Expectation],
    **circumstances: Unpack[Circumstances],
) -> tuple[Verdict, ...]:
    """The verdicts of a run, by the order of ``planned`` and then of the catalogue of metrics; pure.

    ``expectations`` are those that apply here (`suite.gate.Store.find`), of all workloads. Measurements of cells that
    were not planned are left out; failures never are.
    """
    planned = circumstances["planned"]
    measured = [measurement for measurement in measurements if measurement.cell in planned]
    failed = tuple(failures)
    known = (as_known_at(circumstances["where"], entry) for entry in expectations if entry.metric in METRICS)
    run = _Run(entries={(e.workload, e.technique, e.metric): e for e in known}, **circumstances)
    verdicts = [_of_measurement(run, measurement) for measurement in measured]
    verdicts += [_of_failure(failure) for failure in failed]
    verdicts += _missing(run, measured, failed)
    return tuple(sorted(verdicts, key=_order(planned)))


def _of_measurement(run: _Run, measured: Measurement) -> Verdict:
    cell = measured.cell
    entry = run.entries.get((cell.workload, cell.technique, measured.metric))
    if entry is None:
        return _unverified(measured, Reason.NO_EXPECTATION, run.near(measured) or "no expectation is stored")
    elsewhere = (
        other_hardware(measured, entry)
        or other_family(measured, entry, run.where)
        or other_environment(entry, run.where)
    )
    if elsewhere:
        return _unverified(measured, Reason.OTHER_PLACE, elsewhere)
    versions = other_versions(measured, entry)
    if versions:
        return _of_other_version(run, measured, entry, versions)
    unlike = other_conditions(measured, entry) or other_data(entry, run.where)
    if unlike:
        return _unlike(run, measured, entry, unlike)
    compared = of_recorded_seeds(measured, entry)
    judgement = _judgement(run, compared, entry)
    if compared is not measured:
        seeds = ", ".join(map(str, compared.seeds))
        judgement = judgement.noting(f"compared over the recorded seeds ({seeds}) of {len(measured.seeds)} measured")
    return _judged(compared, entry, judgement, run)


def _judgement(run: _Run, measured: Measurement, entry: Expectation) -> Judgement:
    return judge(measured, entry, quiet=run.quiet, today=run.today, timings=run.timings)


def _of_other_version(run: _Run, measured: Measurement, entry: Expectation, reason: str) -> Verdict:
    """A count of another version of torch still passes where it agrees; where it does not, nothing is known."""
    judgement = _judgement(run, measured, entry)
    if judgement.kind is not VerdictKind.PASS:
        judgement = Judgement(kind=VerdictKind.UNVERIFIED, code=Reason.OTHER_CONDITIONS, reason=reason)
    return replace(_judged(measured, entry, judgement, run), stale=True)


def _unlike(run: _Run, measured: Measurement, entry: Expectation, reason: str) -> Verdict:
    """What was measured is another quantity than the entry's: the entry, which applies here, has no answer."""
    if not must_answer(entry, run.where):
        return _unverified(measured, Reason.OTHER_CONDITIONS, reason)
    missing = Judgement(kind=VerdictKind.MISSING, code=Reason.OTHER_CONDITIONS, reason=reason)
    return _judged(measured, entry, missing, run)


def _unverified(measured: Measurement, code: Reason, reason: str) -> Verdict:
    return _judged(measured, None, Judgement(kind=VerdictKind.UNVERIFIED, code=code, reason=reason))


def _judged(measured: Measurement, entry: Expectation | None, judgement: Judgement, run: _Run | None = None) -> Verdict:
    """The verdict; a report shows the bounds that were judged by: fewer seeds have others than the entry's."""
    evidence = judgement.evidence
    return Verdict(
        kind=judgement.kind,
        cell=measured.cell,
        metric=measured.metric,
        group=measured.group,
        reason=judgement.reason,
        measurement=measured,
        expectation=entry if entry is None or evidence is None else evidence.entry(entry),
        stale=entry is not None and run is not None and _stale(entry, run.where),
        code=judgement.code,
        detectable=None if evidence is None else evidence.detectable,
        threshold=None if evidence is None else evidence.threshold,
    )


def _stale(entry: Expectation, where: Where) -> bool:
    """Recorded under other versions; sizes do not depend on them, counts of work do."""
    if entry.tier == "exact" and VERSIONS.isdisjoint(entry.conditions):
        return False
    recorded = entry.origin.versions
    return any(recorded[name] != where.versions[name] for name in recorded if name in where.versions)


def _of_failure(failure: CellFailure) -> Verdict:
    kind = VerdictKind(failure.kind)
    return Verdict(
        kind=kind, cell=failure.cell, metric="", group=failure.group, reason=failure.reason, code=Reason.FAILED
    )


def _missing(run: _Run, measured: Collection[Measurement], failures: Collection[CellFailure]) -> Iterator[Verdict]:
    """Verdicts for what should have been measured, in no particular order."""
    present = {(measurement.cell, measurement.metric) for measurement in measured}
    failed = {(failure.cell, failure.group): failure for failure in failures}
    of_cells: dict[tuple[str, str], list[Expectation]] = {}
    for entry in run.entries.values():
        of_cells.setdefault((entry.workload, entry.technique), []).append(entry)
    for cell, groups in run.planned.items():
        for entry in _due(run, of_cells.get((cell.workload, cell.technique), ()), groups):
            if (cell, entry.metric) in present:
                continue
            group = METRICS[entry.metric].group
            if reason := _why_missing(run, entry, failed.get((cell, group))):
                yield Verdict(
                    kind=VerdictKind.MISSING,
                    cell=cell,
                    metric=entry.metric,
                    group=group,
                    reason=reason,
                    expectation=entry,
                    stale=_stale(entry, run.where),
                    code=Reason.NOT_MEASURED,
                )


def _due(run: _Run, entries: Iterable[Expectation], groups: Collection[Group]) -> Iterator[Expectation]:
    """The ``entries`` of a cell that a measurement of these groups has to answer in this run."""
    for entry in entries:
        metric = METRICS[entry.metric]
        if metric.group not in groups or not must_answer(entry, run.where):
            continue
        if run.fresh_processes or not metric.needs_fresh_process:
            yield entry


def _why_missing(run: _Run, entry: Expectation, failure: CellFailure | None) -> str:
    """The reason of a missing measurement; empty where a failure of its group accounts for it."""
    if failure is None:
        return f"{entry.path}:{entry.line} expects it, but it was not measured"
    if failure.kind != "unavailable" or (failure.slow is not None and _was_slow(run, failure)):
        return ""
    before = _measured_before(entry, run.where)
    if not before and failure.slow is not None and failure.slow > UNEXPLAINED:
        before = "another machine"
    return f"was measured on {before} before; now: {failure.reason}" if before else ""


def _was_slow(run: _Run, failure: CellFailure) -> bool:
    """Whether training was stored as about as slow on this hardware, so that what is left out has not become slower.

    The stored step is compared, or where a recording had too few processes for ratios, the seconds of whole trainings.
    """
    assert failure.slow is not None  # noqa: S101  # asked for what was left out as slow alone
    workload, technique = failure.cell.workload, failure.cell.technique
    step = run.entries.get((workload, technique, "train_step_speedup"))
    if step is not None and not step.retired:
        return failure.slow * step.value <= ESTIMATE
    ours, theirs = (run.entries.get((workload, name, "train_seconds")) for name in (technique, failure.control))
    return ours is not None and theirs is not None and failure.slow * theirs.value <= ESTIMATE * ours.value


def _measured_before(entry: Expectation, where: Where) -> str:
    """What shows that the figure can be measured here; empty where nothing does."""
    if entry.level == where.machine or where.machine in entry.seen:
        return "this machine"
    return "this family" if entry.level == where.family else ""


def _order(planned: Mapping[Cell, Collection[Group]]) -> Callable[[Verdict], tuple[int, tuple[int, int], bool]]:
    cells = {cell: index for index, cell in enumerate(planned)}
    groups: dict[str, tuple[int, int]] = {}
    places: dict[str, tuple[int, int]] = {}
    for name, metric in METRICS.items():
        groups[metric.group] = min(groups.get(metric.group, place(name)), place(name))

    def key(verdict: Verdict) -> tuple[int, tuple[int, int], bool]:
        """A failure of a group comes before the group's first metric; unknown cells and metrics come last."""
        if verdict.metric not in places:
            places[verdict.metric] = place(verdict.metric)
        at = places[verdict.metric] if verdict.metric else groups[verdict.group]
        return cells.get(verdict.cell, len(cells)), at, bool(verdict.metric)

    return key
