"""Nothing passes unmeasured: what a run planned and did not measure, and stored entries that nothing answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from suite.errors import UsageError
from suite.expect import applicable, unanswered
from suite.records import Expectation, Group, Verdict
from suite.run.case import Case
from suite.run.cells import default_compositions

if TYPE_CHECKING:
    from suite.registry import Registry
    from suite.run.session import Session


def left_out_line(left: Sequence[tuple[Case, Group]], planned: Mapping[Case, Sequence[Group]]) -> str:
    """One sentence on the groups that have no verdict."""
    groups = sum(len(found) for found in planned.values())
    case, group = left[0]
    return (
        f"nothing was measured for {len(left)} of {groups} groups of figures, first {case} {group}: something kept "
        "their tests from running (a conftest.py that skips or drops them, --setup-plan); a gate needs them all"
    )


def unanswered_entries(registry: Registry, run: Session) -> tuple[Verdict, ...]:
    """``missing`` for each of the user's entries that applies here and that no cell of a run over everything answers."""
    options = run.options
    if not (options.gates and options.everything) or options.partial or not options.expect_dir.is_dir():
        return ()
    planned = [case.cell for case in run.planned]
    entries = applicable(options.expect_dir, run.header.where)
    return unanswered(list(_wanted(registry, run, entries)), planned)


def _wanted(registry: Registry, run: Session, entries: Iterable[Expectation]) -> Iterable[Expectation]:
    """All but those that another profile answers: workloads that --quick leaves out, values of a sweep."""
    elsewhere = _of_other_profiles(registry, run)
    for entry in entries:
        excused = (entry.workload, entry.technique) in elsewhere
        if not excused:
            yield entry


def _of_other_profiles(registry: Registry, run: Session) -> set[tuple[str, str]]:
    """Workload and composition of every cell of the full profile."""
    found: set[tuple[str, str]] = set()
    if run.bench.plan.profile == "full":
        return found
    for workload in registry.workloads.values():
        with suppress(UsageError):
            found |= {(workload.name, name) for name in default_compositions(registry, workload, "full")}
    return found
