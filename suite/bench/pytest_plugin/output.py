"""The terminal output of a bench run: what is said before it, and a summary at its end."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from suite.bench import commands
from suite.bench.completeness import partial_line
from suite.bench.failing import failing
from suite.bench.run import Run
from suite.bench.trust import doubt as doubt_of
from suite.core import phases
from suite.core.machine import nvml, quiet
from suite.core.records import Measurement, RunHeader, Verdict, VerdictKind

NARROWEST = 80
GAP = "  "
TITLES = {"imports": "imports and data", "fresh_process": "fresh processes"}


UNQUIET = "timings are neither gated nor recorded: {reason}"
NOT_STARTED_QUIET = "the run was not started as a quiet process; start it with `suite bench`"

UNGATED = "nothing was gated: no expectation applied to any metric of this run"

HOMELESS = "no folder `expectations` with files is here or in a parent folder; record one, or name it with --expect-dir"


def say(config: pytest.Config, lines: Iterable[str]) -> None:
    """Lines for a person before anything is measured, whatever pytest captures."""
    reporter: Any = config.pluginmanager.getplugin("terminalreporter")
    capture: Any = config.pluginmanager.getplugin("capturemanager")
    if reporter is None:
        return
    with capture.global_and_fixture_disabled():
        for line in lines:
            reporter.write_line(line)


def accelerator_lines(header: RunHeader) -> list[str]:
    """The driver's report on the GPU, or why there is none; nothing for other devices."""
    return [f"accelerator: {nvml.line(header.accelerator)}"] if header.accelerator else []


def summarize(terminal: pytest.TerminalReporter, run: Run) -> None:
    """Print the table, the cells that need attention, the counts, the wall time by phase and the report's path."""
    from suite.bench import training_cache  # loads torch
    from suite.core.stats import null_arm
    from suite.report import headline, summary, sweeps
    from suite.report.frames import records, tidy  # loads pandas
    from suite.report.same_seeds import lines as seed_lines
    from suite.report.same_seeds import same_seeds
    from suite.report.terminal import table
    from suite.report.tradeoffs import tradeoffs

    wide = width_of(terminal)
    terminal.section("trade-offs")
    measurements = run.folder.measurements()
    if measurements or run.verdicts:
        frame = tradeoffs(tidy(run.header, same_seeds(measurements), run.verdicts), run.header.scores)
        for line in headline.sentences(records(frame)):
            terminal.line(line, bold=True)
        terminal.line(table(frame, wide))
        for line in seed_lines(measurements):
            terminal.line(f"{GAP}{line}")
        if swept := sweeps.text(frame, run.verdicts):
            terminal.section("sweeps")
            terminal.line(swept)
    for line in summary.attention(run.verdicts, rerun=partial(commands.rerun, run)):
        terminal.line(line, red=not line.startswith(" "))
    _tell_what_is_missing(terminal, run, idle=idle_timings(measurements, quiet=run.header.quiet))
    for line in (
        *(f"remark: {one}" for one in run.bench.remarks),
        *training_cache.lines(run.bench.store.cache, measurements),
    ):
        terminal.line(line, yellow=True)
    _tell_recorded(terminal, run)
    for line in filter(None, (*null_arm.lines(measurements), run.cores.line(), *time_lines(wide), run.remembered)):
        terminal.line(line)
    terminal.line(f"report: {run.folder.path}")
    if run.page is not None:
        terminal.line(run.page)


def tell_github(
    terminal: pytest.TerminalReporter, run: Run | None, problem: str | None, environment: Mapping[str, str]
) -> None:
    """Annotations and the step summary, in a step of GitHub Actions; nothing elsewhere.

    If the summary cannot be written, a line says so and the exit code stays.
    """
    from suite.report import github

    if not github.here(environment):
        return
    if problem is None and run is not None:
        problem = doubt_of(run) or None
    for line in [] if problem is None else [github.unusable(problem)]:
        terminal.line(line)
    if run is None:
        return
    root = Path(environment.get("GITHUB_WORKSPACE") or Path.cwd())
    fails = partial(failing, options=run.options)
    for line in github.commands(run.verdicts, fails=fails, root=root):
        terminal.line(line)
    if path := github.step_summary(environment):
        rerun = partial(commands.rerun, run)
        text = github.summary(run.header, run.verdicts, fails=fails, rerun=rerun, problem=problem)
        if trouble := github.append(text, path):
            terminal.line(f"suite: no step summary, {trouble}", yellow=True)


def _tell_what_is_missing(terminal: pytest.TerminalReporter, run: Run, *, idle: bool) -> None:
    """Metrics that were not measured, have no expectation or do not count, each with the remedy."""
    from suite.report import summary

    for line in summary.unavailable(run.verdicts):
        terminal.line(line, yellow=True)
    hint = summary.unverified_hint(recordable(run.verdicts, quiet=run.header.quiet), commands.record(run))
    if hint:
        terminal.line(hint, yellow=True)
    drift = summary.drift_hint(recordable(run.verdicts, quiet=run.header.quiet), commands.record(run, None, "--drift"))
    if drift and run.options.gates and run.bench.plan.fresh:
        terminal.line(drift)
    if run.verdicts:
        terminal.line(f"verdicts: {summary.counts(run.verdicts)}")
    if run.left_out() and run.partial:
        terminal.line(partial_line(run.left_out()), yellow=True)
    for line in [] if run.budget is None else [*run.budget.left_lines(), *resume_line(run)]:
        terminal.line(line, yellow=True)
    ungated = run.options.gates and nothing_gated(run.verdicts)
    homeless = ungated and not run.options.expect_dir.is_dir()
    doubt = doubt_of(run)
    unquiet = UNQUIET.format(reason=quiet.is_quiet()[1] or NOT_STARTED_QUIET)
    remarks = {unquiet: idle, doubt: bool(doubt), UNGATED: ungated, HOMELESS: homeless}
    for remark, holds in remarks.items():
        if holds:
            terminal.line(remark, red=True)


def resume_line(run: Run) -> list[str]:
    """The command that measures the cells that --max-minutes left out; nothing if it left none out."""
    more = f"to measure the rest, add --resume {run.folder.path} to the command, and raise or drop --max-minutes"
    return [more] if run.passed_over else []


def recordable(verdicts: Iterable[Verdict], *, quiet: bool) -> list[Verdict]:
    """The verdicts whose values may be recorded: no timings of a process that is not quiet."""
    return [verdict for verdict in verdicts if quiet or verdict.group != "speed"]


def idle_timings(measurements: Iterable[Measurement], *, quiet: bool) -> bool:
    """Whether a run has timings that do not count because its process is not quiet."""
    return not quiet and any(found.group == "speed" for found in measurements)


def nothing_gated(verdicts: Iterable[Verdict]) -> bool:
    """Whether a gate compared nothing at all, so that its exit code says nothing."""
    return all(v.expectation is None and v.shape is None and v.kind is not VerdictKind.ERROR for v in verdicts)


def width_of(terminal: Any) -> int:
    """Characters of a line: the terminal's, 80 at least."""
    return max(NARROWEST, int(terminal._tw.fullwidth))  # noqa: SLF001  # pytest's own way to tell


def time_lines(width: int = NARROWEST) -> list[str]:
    """Where the wall time went, and the harness's own share of it; broken between the parts, never within one."""
    spent = phases.totals()
    parts = [f"{TITLES.get(name, name)} {seconds:.1f} s" for name, seconds in spent.items() if name != phases.OTHER]
    overhead = phases.overhead()
    share = "" if math.isnan(overhead) else f" ({100 * overhead:.1f} % of the time without imports and fresh processes)"
    lines = ["time: "]
    for part in [*(f"{part}, " for part in parts), f"harness {spent[phases.OTHER]:.1f} s{share}"]:
        if len(lines[-1]) > len(GAP) and len((lines[-1] + part).rstrip()) > width:
            lines.append(GAP)
        lines[-1] += part
    return [line.rstrip() for line in lines]


def hush_benchmark_table(config: pytest.Config) -> None:
    """Keep pytest-benchmark's own table back unless -v or --benchmark-verbose asks for it; its files are written."""
    theirs: Any = getattr(config, "_benchmarksession", None)
    if theirs is not None and not theirs.verbose and not _asks_for_more(config.invocation_params.args):
        theirs.quiet = True


def _asks_for_more(arguments: Sequence[Any]) -> bool:
    return any(argument == "--verbose" or re.fullmatch("-v+", str(argument)) for argument in arguments)


def _tell_recorded(terminal: pytest.TerminalReporter, run: Run) -> None:
    if run.recorded is None:
        return
    from suite.gate import skipped_lines

    files = ", ".join(str(path) for path in run.recorded.changed) or "no file changed"
    terminal.line(f"recorded: {run.recorded.added} added, {run.recorded.updated} updated ({files})")
    for note in run.recorded.notes:
        terminal.line(f"note: {note}", yellow=True)
    for line in skipped_lines(run.recorded.skipped):
        terminal.line(f"not recorded: {line}", yellow=True)
