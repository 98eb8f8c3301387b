"""Entries that no cell of a run will ever answer: their technique is gone, renamed, or left out of the plan."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from suite.core.metrics import METRICS
from suite.core.records import Cell, Expectation, Group, Reason, Verdict, VerdictKind, Where
from suite.gate.files.match import applies, must_answer

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping


def unanswered(
    entries: Iterable[Expectation], planned: Mapping[Cell, Collection[Group]], *, where: Where
) -> tuple[Verdict, ...]:
    """A ``missing`` verdict for each entry that applies here and that no planned cell measures; pure.

    ``entries`` are those that a run over everything has to answer: leave out workloads and techniques that the
    run's profile does not hold. Retired entries and those for other devices wait for no answer. What a planned cell
    and group failed to bring is `check`'s to say.
    """
    groups = {(cell.workload, cell.technique): groups for cell, groups in planned.items()}
    found = []
    for entry in entries:
        if not applies(entry, where) or not must_answer(entry, where):
            continue
        reason = _why(entry, groups)
        if reason:
            found.append(_missing(entry, where, reason))
    return tuple(found)


def _why(entry: Expectation, planned: Mapping[tuple[str, str], Collection[Group]]) -> str:
    """Why nothing of the run answers the entry; empty where something does."""
    groups = planned.get((entry.workload, entry.technique))
    retire = 'or mark it retired = "why"'
    if groups is None:
        return f"no cell of this run measures it: {_gone(entry, planned)}, {retire}"
    group = METRICS[entry.metric].group
    if group not in groups:
        measured = ", ".join(groups) or "nothing"
        return (
            f"no cell of this run measures its {group}: the cell measures {measured}; restore what it lacks, {retire}"
        )
    return ""


def _gone(entry: Expectation, planned: Iterable[tuple[str, str]]) -> str:
    techniques = sorted(technique for workload, technique in planned if workload == entry.workload)
    if not techniques:
        return f"the workload is gone or its module is not loaded; run it with --workload {entry.workload}"
    near = difflib.get_close_matches(entry.technique, techniques, n=1, cutoff=0.3)
    nearest = f" (nearest: {near[0]})" if near else ""
    return f"the technique is gone or is spelled otherwise{nearest}; run it with --technique '{entry.technique}'"


def _missing(entry: Expectation, where: Where, reason: str) -> Verdict:
    return Verdict(
        kind=VerdictKind.MISSING, cell=_cell(entry, where), metric=entry.metric, group=METRICS[entry.metric].group,
        reason=reason, code=Reason.NOT_MEASURED, expectation=entry,
    )  # fmt: skip


def _cell(entry: Expectation, where: Where) -> Cell:
    ranks = int(entry.conditions.get("ranks", 1))
    return Cell(workload=entry.workload, technique=entry.technique, device=where.device, ranks=ranks)
