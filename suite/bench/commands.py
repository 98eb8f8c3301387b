"""Commands to type, which a report prints: measure a cell again, store its values."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from suite.bench.option_table import OPTIONS
from suite.bench.options import DEFAULT_SEEDS, Options
from suite.core.machine import quiet
from suite.core.records import Verdict, VerdictKind

if TYPE_CHECKING:
    from suite.bench.run import Run


def rerun(run: Run, verdict: Verdict) -> str:
    """The command that measures a verdict's cell again, or that accepts its value."""
    if verdict.kind is VerdictKind.IMPROVED:
        return record(run, str(verdict.cell), "--anew")  # or the slower past would keep its bound
    if verdict.kind is VerdictKind.UNVERIFIED:
        return record(run, str(verdict.cell))
    return shlex.join(["suite", "bench", *_cell(verdict), *_of_plan(run), *_comparable(run.options)])


def record(run: Run, cell: str | None = None, *how: str) -> str:
    """The command that stores values of this run: a cell's, or all, by default those without an expectation."""
    which = [*(how or ["--new"])] if cell is None else ["--only", cell, *how]
    elsewhere = run.options.expect_dir != Options.expect_dir
    expect_dir = ["--expect-dir", str(run.options.expect_dir)] if elsewhere else []
    return shlex.join(["suite", "record", str(run.folder.path), *which, *expect_dir])


def _cell(verdict: Verdict) -> list[str]:
    cell = verdict.cell
    named = [argument for name in verdict.sweep or (cell.technique,) for argument in ("--technique", name)]
    return ["--workload", cell.workload, *named, "--device", cell.device]


def _of_plan(run: Run) -> list[str]:
    """What makes the measurement of a cell comparable with this run's, whatever profile it belonged to."""
    plan = run.bench.plan
    usual = plan.seeds == DEFAULT_SEEDS and (plan.trains_few or plan.profile not in ("default", "quick"))
    arguments = [] if usual else ["--seeds", str(plan.seeds)]
    arguments += [] if plan.processes == 1 else ["--processes", str(plan.processes)]
    on_cpu = run.header.where.device.startswith("cpu")
    arguments += [] if quiet.threads() == 1 or not on_cpu else ["--threads", str(quiet.threads())]
    return arguments + ([] if plan.memory_cap is None else ["--edge", "--memory", f"{plan.memory_cap}B"])


def _comparable(options: Options) -> list[str]:
    """The options that the table calls comparable, if they were given and are not what a run has without them."""
    given = [option for option in OPTIONS if option.comparable and option.key in options.given]
    return [
        argument
        for option in given
        if options.given[option.key] != getattr(Options, option.key, None)
        for argument in option.arguments(options.given[option.key])
    ]
