"""The steps that judge: by the stored expectations, and after a regression by fresh processes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from suite.bench.confirm import Confirmation, noting
from suite.bench.resolved_cell import Case
from suite.bench.run import GroupResult, Run
from suite.core.records import CellFailure, Group, Measurement, Verdict, VerdictKind
from suite.gate import check, check_shapes
from suite.gate.error_rate import bar

if TYPE_CHECKING:
    from suite.measure.speed import Bounds

REUSED = "reused: an earlier run trained it"


def judge(run: Run, result: GroupResult) -> GroupResult:
    """The verdicts of one group by what is stored."""
    return replace(result, verdicts=_judged(run, result.case, result.group, result.measurements, result.failures))


def confirm(run: Run, result: GroupResult) -> GroupResult:
    """The verdicts of a gate, after fresh processes were asked for timings that have regressed."""
    if not run.options.gates:
        return result
    case, group = result.case, result.group
    confirmation = Confirmation(
        repeat=lambda: run.bench.repeat(case, bounds(run, case)),
        judged=lambda measurements: _judged(run, case, group, measurements, []),
        limit=lambda entry: bar(entry, run.timings),
        replaces_suspect=run.bench.plan.fresh and run.header.quiet,
    )
    return replace(result, verdicts=confirmation.settled(list(result.verdicts)))


def judge_sweeps(run: Run) -> tuple[Verdict, ...]:
    """The verdicts on the sweeps that this run measured, by the shapes that are expected of them."""
    if run.options.expect not in ("gate", "report"):
        return ()
    workloads = dict.fromkeys(case.workload.name for case in run.planned)
    expected = [shape for name in workloads for shape in run.store.shapes(name, run.header.where)]
    planned = {case.cell for case in run.planned}
    measured = [measurement for measurement in run.folder.measurements() if measurement.cell in planned]
    return check_shapes(measured, expected, quiet=run.header.quiet, today=run.today)


def bounds(run: Run, case: Case) -> Bounds:
    """What the metrics of a case are to be told from; a quick run keeps to its time instead."""
    if not run.options.gates or not run.bench.plan.fresh:
        return {}
    entries = [entry for entry in run.entries(case) if not entry.retired]
    by_metric = {entry.metric: (entry.low, bar(entry, run.timings), entry.high) for entry in entries}
    return {
        metric: tuple(sorted({bound for bound in found if bound is not None})) for metric, found in by_metric.items()
    }


def _judged(
    run: Run, case: Case, group: Group, measurements: Sequence[Measurement], failures: Sequence[CellFailure]
) -> list[Verdict]:
    where, judges = run.header.where, run.options.expect in ("gate", "report")
    verdicts = check(
        measurements=measurements, failures=failures, expectations=run.entries(case) if judges else [], where=where,
        planned={case.cell: (group,)}, fresh_processes=run.bench.plan.fresh, quiet=run.header.quiet,
        near=lambda m: run.store.near(m.cell.workload, m.cell.technique, m.metric, where), today=run.today,
        timings=run.timings,
    )  # fmt: skip
    shown = [v for v in verdicts if judges or v.kind in (VerdictKind.ERROR, VerdictKind.UNAVAILABLE)]
    return [noting(v, REUSED) if v.measurement is not None and v.measurement.reused else v for v in shown]
