"""Unmeasured metrics never pass: groups planned but not measured, and stored entries without a measurement."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from suite.bench.resolved_cell import Case
from suite.bench.selection import default_compositions, joined
from suite.core.errors import UsageError
from suite.core.metrics import METRICS
from suite.core.records import GROUPS, Expectation, Group, Verdict
from suite.gate import load_all, unanswered

if TYPE_CHECKING:
    from suite.bench.run import Run
    from suite.registry import Registry


def left_out_line(left: Sequence[tuple[Case, Group]], planned: Mapping[Case, Sequence[Group]]) -> str:
    """One line on the planned groups that have no verdict."""
    groups = sum(len(found) for found in planned.values())
    case, group = left[0]
    return (
        f"not gated: {len(left)} of {groups} metric groups were not measured, the first is {case} {group}; a gate "
        "needs all of them. Look for a conftest.py that skips or deselects tests, and for --setup-plan"
    )


def partial_line(left: Sequence[tuple[Case, Group]]) -> str:
    """One line on the groups that a partial run left out."""
    names = list(dict.fromkeys(f"{case} {group}" for case, group in left))
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""  # noqa: PLR2004  # a line, not a list
    return f"partial: {len(names)} metric groups were left out and are not gated: {', '.join(names[:3])}{more}"


def unanswered_entries(registry: Registry, run: Run, *, together: Sequence[str] = ()) -> tuple[Verdict, ...]:
    """``missing`` for each of the user's entries that applies here and that no cell of the run measures.

    Entries of the combinations, ``together``, are checked by runs that include them. Only runs of whole workloads are
    checked: a run of selected techniques, or of some groups, leaves others out on purpose.
    """
    options = run.options
    if not (options.gates and options.everything) or run.partial or not options.expect_dir.is_dir():
        return ()
    planned = {case.cell: groups for case, groups in run.planned.items()}
    elsewhere = _of_other_profiles(registry, run, together) - {(cell.workload, cell.technique) for cell in planned}
    stored = [e for e in load_all(options.expect_dir) if not options.workloads or e.workload in options.workloads]
    wanted = [entry for entry in stored if (entry.workload, entry.technique) not in elsewhere]
    return unanswered(_of_planned_groups(wanted, run), planned, where=run.header.where)


def _of_planned_groups(entries: Iterable[Expectation], run: Run) -> list[Expectation]:
    """Without the groups that a workload leaves out on this device unless the user names it."""
    groups = {(case.workload.name, case.composition.name): case.groups for case in run.planned}
    known = ((entry, METRICS.get(entry.metric)) for entry in entries)
    return [
        entry
        for entry, row in known
        if row is None or row.group in groups.get((entry.workload, entry.technique), GROUPS)
    ]


def _of_other_profiles(registry: Registry, run: Run, together: Sequence[str]) -> set[tuple[str, str]]:
    """Workload and composition of the cells that this profile leaves out: slow workloads, workloads and techniques
    that run only by name, sweeps and combinations.
    """
    found: set[tuple[str, str]] = set()
    full, device = run.bench.plan.profile == "full", run.header.where.device
    by_name = [found.name for found in registry.techniques.values() if not found.runs]
    for workload in registry.workloads.values():
        if workload.techniques_on(device) is None:
            found |= {(workload.name, variant) for name in by_name for variant in registry.variants(name, sweep=True)}
        if full and workload.full:
            continue
        with suppress(UsageError):
            alone = default_compositions(registry, workload, "full", device=device)
            found |= {(workload.name, name) for name in (*alone, *joined(workload, together, device))}
    return found
