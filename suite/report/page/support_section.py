"""Which technique could be measured on which machine, and why not."""

from __future__ import annotations

from collections.abc import Sequence

from suite.core.records import CellFailure
from suite.report.page.markup import code, escaped, paragraph, table
from suite.report.page.run_content import RunContent, labels

MOST_ROWS = 300  # techniques
MOST_REASONS = 2  # in one place


def support_section(runs: Sequence[RunContent]) -> str:
    """A table technique x machine as HTML: measured, partly, unavailable or failed, with the reason."""
    techniques = list(dict.fromkeys(name for run in runs for name in _techniques(run)))
    if not techniques:
        return paragraph("No technique was measured.")
    columns = [_standings(run) for run in runs]
    rows = ([code(name), *(standing.get(name, "-") for standing in columns)] for name in techniques[:MOST_ROWS])
    left = len(techniques) - MOST_ROWS
    more = paragraph(f"{left} further techniques are in results.csv.") if left > 0 else ""
    titles = ("technique", *labels(runs))
    return table("technique by machine", titles, rows, numbers=frozenset()) + more


def _techniques(run: RunContent) -> list[str]:
    cells = [*(measurement.cell for measurement in run.measurements), *(failure.cell for failure in run.failures)]
    return [cell.technique for cell in cells]


def _standings(run: RunContent) -> dict[str, str]:
    """The HTML of each technique's place."""
    measured: dict[str, set[str]] = {}
    for measurement in run.measurements:
        measured.setdefault(measurement.cell.technique, set()).add(measurement.cell.workload)
    failed: dict[str, list[CellFailure]] = {}
    for failure in run.failures:
        failed.setdefault(failure.cell.technique, []).append(failure)
    return {name: _standing(measured.get(name, set()), failed.get(name, [])) for name in {*measured, *failed}}


def _standing(workloads: set[str], failures: Sequence[CellFailure]) -> str:
    count = f"{len(workloads)} workload{'' if len(workloads) == 1 else 's'}"
    if not failures:
        return f'<span class="kind pass">measured</span> {count}'
    kind = "error" if any(failure.kind == "error" for failure in failures) else "unavailable"
    reasons = list(dict.fromkeys(failure.reason for failure in failures))
    told = "; ".join(reasons[:MOST_REASONS]) + ("; ..." if len(reasons) > MOST_REASONS else "")
    partly = f"partly measured ({count}), " if workloads else ""
    return f'{partly}<span class="kind {kind}">{kind}</span>: {escaped(told)}'
