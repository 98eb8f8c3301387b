"""A run, step by step.

`select` (`suite.bench.selection`) finds the cells that the options name and `open_run` (`suite.bench.opening`) opens
their results folder. Then a run takes these steps, which the pytest plugin calls one after the other:

- once, before anything trains: `preflight` and `limit`;
- for each group of metrics of each cell: `measure_group`, which measures, judges, confirms, trusts and keeps;
- once, at the end: `finish`, and the exit code (`suite.bench.exit_code`).
"""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter
from typing import TYPE_CHECKING

from suite.bench.judging import confirm, judge
from suite.bench.measuring import measure
from suite.bench.resolved_cell import Case
from suite.bench.run import GroupResult, Run
from suite.bench.trust import reconsider, trust
from suite.core.errors import ExpectationFileError, ResultsError
from suite.core.prices import Prices
from suite.core.records import Duration, Group, GroupEnd, RunEnd, Verdict
from suite.gate import record
from suite.report.results.folder import point_latest

if TYPE_CHECKING:
    from suite.bench.time_budget import Budget


def preflight(run: Run) -> None:
    """Try every workload and technique before anything trains; leave out the workloads that are at fault."""
    run.faults = run.bench.preflight(list(run.planned))
    run.planned = {case: groups for case, groups in run.planned.items() if case.workload.name not in run.faults}


def limit(run: Run, budget: Budget) -> None:
    """Keep to the minutes of ``budget``; what they leave out makes the run a partial one."""
    run.budget = budget


def keep(run: Run, result: GroupResult) -> GroupResult:
    """Write down the verdicts, and how long the group took, which later runs are planned by."""
    case, group, where = result.case, result.group, result.case.cell
    if not result.resumed and not any(failure.kind == "error" for failure in result.failures):
        seconds, reuse = perf_counter() - result.began, run.options.reuse is not None
        run.folder.append(Duration(cell=where, group=group, seconds=seconds, reuse=reuse))
    metrics = len({measurement.metric for measurement in result.measurements})
    run.folder.append(*result.verdicts, GroupEnd(cell=where, group=group, metrics=metrics))
    run.verdicts += result.verdicts
    run.latest = result.measurements
    run.done.add((case, group))
    return result


def measure_group(run: Run, case: Case, group: Group) -> list[Verdict]:
    """Take one group of metrics of a case through its steps; what is not trained yet is trained to be measured."""
    result = GroupResult(case=case, group=group, began=perf_counter())
    result = measure(run, result)  # the calls are written out: `check_suite` compares code, not tables of functions
    result = judge(run, result)
    result = confirm(run, result)
    result = trust(run, result)
    result = keep(run, result)
    return list(result.verdicts)


def finish(run: Run, verdicts: Sequence[Verdict] = (), *, interrupted: bool = False, with_page: bool = True) -> None:
    """Write the tables and the page and, if asked to and nothing was left out, record the values as expectations.

    ``verdicts`` are those on the run as a whole. A caller that decides an exit code writes the page after it.
    """
    from suite.report.tradeoffs import write_and_keep  # loads pandas

    reconsider(run)
    run.verdicts += verdicts
    run.folder.append(*verdicts)
    end(run, whole=not interrupted)
    _, run.table = write_and_keep(run.folder, _prices(run))
    if with_page:
        write_page(run)
    point_latest(run.options.reports_dir, run.folder.path.name)
    if run.options.history:
        run.remembered = _remembered(run)
    if run.options.expect == "record":
        run.recorded = record(
            run.folder.measurements(), header=run.header, directory=run.options.expect_dir,
            partial=interrupted or bool(run.left_out()),
        )  # fmt: skip


def _prices(run: Run) -> Prices | None:
    """The prices of this machine; a machine without one is a remark, since no verdict depends on costs."""
    where = run.header.where
    try:
        return None if run.prices is None else run.prices.at(where.machine, where.family)
    except ExpectationFileError as error:
        run.bench.remarks.append(f"{error}; costs are left out")
        return None


def write_page(run: Run) -> None:
    """Write the page of the records so far; it shows the exit code if that is written down."""
    from suite.report.page import try_writing  # loads pandas

    run.page = try_writing(run.folder, run.table)


def end(run: Run, code: int | None = None, *, whole: bool = True) -> None:
    """Write the run's last record, with the exit code once it is decided."""
    groups = sum(len(found) for found in run.planned.values())
    run.folder.end(RunEnd(groups=groups, done=len(run.done), whole=whole, code=code))


def _remembered(run: Run) -> str:
    """Add to the history; if that fails, no value and no exit code depends on it."""
    from suite.report.history.file import remember

    try:
        path, added = remember(run.folder, run.options.reports_dir)
    except ResultsError as error:
        return str(error)
    return f"history: {added} figures added to {path}"
