"""What concerns a merged run as a whole: completeness, unanswered entries, sweeps, null arms, the exit code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from suite.bench import exit_code
from suite.bench.combinations import combinations
from suite.bench.completeness import unanswered_entries
from suite.bench.judging import judge_sweeps
from suite.bench.merging import MergedParts
from suite.bench.pipeline import end
from suite.bench.resolved_cell import Case
from suite.bench.run import Run
from suite.bench.trust import reconsider
from suite.core.exit_codes import EXIT_NOTHING, EXIT_PASS, worst
from suite.core.records import Group
from suite.core.stats.null_arm import null_ratios, same_work_ratios
from suite.gate import Store
from suite.registry.settings import shipped_expectations

if TYPE_CHECKING:
    from suite.bench.bench import Bench, Plan
    from suite.bench.options import Options
    from suite.registry import Registry
    from suite.report.results.folder import RunFolder


@dataclass(frozen=True, kw_only=True)
class MeasuredElsewhere:
    """In the place of a `Bench` in a run whose cells were measured by its parts: only its plan is asked for."""

    plan: Plan


def opened(found: MergedParts, folder: RunFolder, *, options: Options, plan: Plan, cases: Sequence[Case]) -> Run:
    """The merged run as if it had measured all itself; ``cases`` are those that the whole run plans."""
    measurements = folder.measurements()
    ended = found.ended
    run = Run(
        options=replace(options, shard=""), header=folder.header, folder=folder,
        bench=cast("Bench", MeasuredElsewhere(plan=plan)), store=Store([options.expect_dir, shipped_expectations()]),
        planned={case: case.groups for case in cases}, verdicts=list(folder.verdicts()),
        done={(case, group) for case in cases for group in case.groups if (case.cell, group) in ended},
    )  # fmt: skip
    run.null_ratios += null_ratios(measurements)
    run.arm_ratios |= same_work_ratios(measurements)
    return run


def close(run: Run, registry: Registry, found: MergedParts) -> tuple[int, str]:
    """Judge the whole and end the run's file; returns the exit code and why it is no pass (empty if verdicts say so).

    No part's exit code is improved: where one failed, the merged run fails.
    """
    reconsider(run)
    together = tuple(combinations(registry, Path.cwd())) if run.options.everything else ()  # nobody asks otherwise
    whole = [*unanswered_entries(registry, run, together=together), *judge_sweeps(run)]
    run.verdicts += whole
    run.folder.append(*whole)
    code, problem = exit_code.of_run(run, exit_code.Ending(collected=_collected(run)))
    if found.problem and code == EXIT_PASS:
        code, problem = EXIT_NOTHING, f"not the whole run: {found.problem}"
    code, problem = _no_better(code, problem, found)
    end(run, code, whole=not found.problem)
    return code, problem


def _collected(run: Run) -> list[tuple[Case, Group]]:
    """What ``-k`` let through in the parts: every cell's groups of the kinds that any part has measured."""
    kinds = {group for _, group in run.done}
    return [(case, group) for case, groups in run.planned.items() for group in groups if group in kinds]


def _no_better(code: int, problem: str, found: MergedParts) -> tuple[int, str]:
    """The worst of the merged run's code and those of its parts, and why if that is a part's."""
    codes = [EXIT_NOTHING if part.code is None else part.code for part in found.parts]
    total = worst([code, *codes])
    if total == code:
        return code, problem
    part = next(part for part, own in zip(found.parts, codes, strict=True) if worst([own]) == total)
    return total, f"{part.folder.path} ended with {'no exit code' if part.code is None else f'exit code {part.code}'}"
