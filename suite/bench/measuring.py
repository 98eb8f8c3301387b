"""The step that measures: one group of metrics of one case, or the reason why it has none."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from suite.bench.explain import explain
from suite.bench.integrity import check_suite
from suite.bench.judging import bounds
from suite.bench.options import tolerant_of_warnings
from suite.bench.resolved_cell import Case
from suite.bench.run import GroupResult, Run
from suite.core.errors import IncapableError, SlowError, UnavailableError
from suite.core.records import CellFailure, Measurement

if TYPE_CHECKING:
    from suite.core.records import Group


def measure(run: Run, result: GroupResult) -> GroupResult:
    """Train what is needed, measure, and write it down at once; what the resumed run measured is taken from there."""
    case, group = result.case, result.group
    run.bench.forget_samples()
    before = [m for m in run.before if m.cell == case.cell and m.group == group]
    if before:
        return replace(result, measurements=before, resumed=True)
    measurements, failures = _measured(run, case, group)
    run.folder.append(*measurements, *failures)
    return replace(result, measurements=measurements, failures=failures)


def _measured(run: Run, case: Case, group: Group) -> tuple[list[Measurement], list[CellFailure]]:
    known = run.broken.get(case.workload.name) or run.failed.get(case)
    if known:
        return [], [_failure(case, group, "error", known)]
    try:
        with tolerant_of_warnings():
            measurements = run.bench.measure(case, group, bounds(run, case))
            if group == "speed":
                check_suite()
            return measurements, []
    except UnavailableError as error:
        known = _measured_before(run, case) if isinstance(error, IncapableError) else ""
        failure = _failure(case, group, "error" if known else "unavailable", f"{error}{known}")
        if isinstance(error, SlowError):
            failure = replace(failure, slow=error.factor, control=case.control.name)
        return [], [failure]
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001  # anything, sys.exit() too; the other cells go on
        run.failed[case] = reason = explain(error)
        return [], [_failure(case, group, "error", reason)]


def _failure(case: Case, group: Group, kind: Literal["unavailable", "error"], reason: str) -> CellFailure:
    return CellFailure(cell=case.cell, group=group, kind=kind, reason=reason)


def _measured_before(run: Run, case: Case) -> str:
    """Where a gate finds that the cell was measured: what worked and fails now is no limit of the network."""
    entries = [entry for entry in run.entries(case) if not entry.retired] if run.options.gates else []
    return f"; it was measured before: {entries[0].path}:{entries[0].line}" if entries else ""
