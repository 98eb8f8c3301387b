"""The pytest plugin: options, cases as parameters, one shared run, a summary that says what to do.

Importing it loads neither torch nor pandas, since it is loaded by every pytest run of an environment.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from suite.bench import exit_code, time_budget
from suite.bench.combinations import combinations
from suite.bench.completeness import unanswered_entries
from suite.bench.failing import failing
from suite.bench.option_table import PREFIX, in_pytest, values
from suite.bench.options import COMMAND
from suite.bench.pytest_plugin.output import (
    accelerator_lines,
    hush_benchmark_table,
    say,
    summarize,
    tell_github,
)
from suite.bench.pytest_plugin.progress import RunProgress, progress_of
from suite.bench.request import RunRequest
from suite.bench.resolved_cell import Case
from suite.bench.selection import select
from suite.core import phases
from suite.core.errors import SetupError, SuiteError
from suite.core.exit_codes import EXIT_NOTHING, EXIT_UNUSABLE
from suite.core.records import GROUPS, Group, Verdict, VerdictKind
from suite.registry import REGISTRY
from suite.registry.settings import PACKAGE, load_user_modules

if TYPE_CHECKING:
    from suite.bench.run import Run

CASES = pytest.StashKey[list[Case]]()
NOTES = pytest.StashKey[list[str]]()
SHARD = pytest.StashKey[str]()
RUN = pytest.StashKey["Run"]()
PROGRESS = pytest.StashKey[RunProgress]()
CRASHED = pytest.StashKey[bool]()
PROBLEM = pytest.StashKey[str]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of bench runs; each carries the prefix ``--suite-`` so that a user's own do not clash."""
    group = parser.getgroup("suite", "optimization techniques measured against stored expectations")
    for option in in_pytest():
        group.addoption(f"--{PREFIX}-{option.name}", **option.keywords())


def pytest_configure(config: pytest.Config) -> None:
    """Announce the marker that says which group of metrics a test measures."""
    config.addinivalue_line("markers", "suite_group(name): the group of metrics that this test measures")


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> None:
    """Find mistakes in the options before anything is collected."""
    if _is_bench(session.config) and not hasattr(session.config, "workerinput"):
        hush_benchmark_table(session.config)  # all plugins are configured by now, in whatever order
        _or_exit(lambda: _check_runner(session.config))
        _or_exit(lambda: cases_of(session.config))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test per case for each group of metrics."""
    if "suite_cell" in metafunc.fixturenames:
        marker = metafunc.definition.get_closest_marker("suite_group")
        cases = [case for case in cases_of(metafunc.config) if marker is None or marker.args[0] in case.groups]
        metafunc.parametrize("suite_cell", cases, ids=str)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Run case by case, so that a case's networks can be freed before the next one starts."""
    ours = [item for item in items if _case(item) is not None]
    if ours:
        order = {case: index for index, case in enumerate(cases_of(config))}
        others = [item for item in items if _case(item) is None]
        items[:] = others + sorted(ours, key=lambda item: (order[_case(item)], GROUPS.index(_group(item))))


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop(session: pytest.Session) -> Generator[None, Any, Any]:
    """Open the run's folder before the first case is measured, unless a gate would see only a part."""
    config = session.config
    if any(_case(item) for item in session.items) and not config.option.collectonly:
        _or_exit(lambda: _check_selection(session))
        _or_exit(lambda: _open(session))
        _or_exit(lambda: _preflight(session))
        _or_exit(lambda: _plan(session))
    try:
        return (yield)
    finally:
        if PROGRESS in config.stash:
            config.stash[PROGRESS].close()


@pytest.hookimpl(wrapper=True)
def pytest_report_teststatus(config: pytest.Config) -> Generator[None, Any, Any]:
    """No letter for a test while a live table shows its verdicts; its status counts as ever."""
    status = yield
    progress = config.stash.get(PROGRESS, None)
    return (status[0], "", "") if progress is not None and progress.live else status


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Free a case's networks after its last test."""
    case, following = _case(item), None if nextitem is None else _case(nextitem)
    run = item.config.stash.get(RUN, None)
    if run is not None and case is not None and case is not following:
        run.bench.release(case, following)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Write the tables (after Ctrl-C too) and turn verdicts into the exit code, before the summary is printed."""
    config = session.config
    run = config.stash.get(RUN, None)
    if run is None:
        if exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED) and _measures(config):
            _set_problem(session, "nothing was collected, so nothing is gated; loosen -k, -m or python_files")
        return
    from suite.bench import pipeline
    from suite.bench.integrity import check_suite
    from suite.bench.judging import judge_sweeps
    from suite.report.endings import unfinished

    with run:
        whole = exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)
        try:
            check_suite()
            of_whole_run = [*_unanswered(run), *judge_sweeps(run)] if whole else []
            pipeline.finish(run, of_whole_run, interrupted=not whole, with_page=not whole)
        except SuiteError as error:
            config.stash[PROBLEM] = str(error)
            session.exitstatus = EXIT_UNUSABLE if whole else exitstatus  # an interrupted run stays one
            return
        if whole:
            session.exitstatus, problem = exit_code.of_run(run, _ending(session, exitstatus))
            if problem:
                config.stash[PROBLEM] = problem
            pipeline.end(run, int(session.exitstatus))
            pipeline.write_page(run)
        elif left := unfinished(run.folder):
            config.stash[PROBLEM] = f"{left}; go on with the same command and --resume {run.folder.path}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """The table, what needs attention with the command for it, and where the time went."""
    run, problem = config.stash.get(RUN, None), config.stash.get(PROBLEM, None)
    if run is not None:
        summarize(terminalreporter, run)
    if problem is not None:
        terminalreporter.line(f"suite: {problem}", red=True)
    tell_github(terminalreporter, run, problem, os.environ)


@pytest.fixture
def suite_run(request: pytest.FixtureRequest) -> Callable[..., list[Verdict]]:
    """Measure one group of a case and fail, skip or pass by its verdicts.

    ``suite_run(case, group, then=...)``: ``then`` receives the case's raw samples by name before the verdicts count.
    """
    from suite.bench.pipeline import measure_group
    from suite.report.junit import properties

    the_run, progress = request.config.stash[RUN], request.config.stash[PROGRESS]

    def run(case: Case, group: Group, then: Callable[[Mapping[str, Any]], None] | None = None) -> list[Verdict]:
        if not the_run.starts(case):
            pytest.skip(time_budget.SPENT)
        try:
            progress.begin(case, group)
            verdicts = measure_group(the_run, case, group)
            progress.end(case, verdicts)
            if then is not None:
                then(the_run.bench.samples)
        except Exception:  # no verdict tells of it, so the exit code must
            request.config.stash[CRASHED] = True
            raise
        request.node.user_properties.extend(properties(verdicts))
        _raise(the_run, verdicts)
        return verdicts

    return run


def cases_of(config: pytest.Config) -> list[Case]:
    """The cases that the options select, found once."""
    if CASES not in config.stash:
        with phases.phase("imports"):
            from suite.bench.flag_guard import check_threads
            from suite.bench.integrity import remember_constants
            from suite.core.machine import quiet
            from suite.core.machine.hardware import resolve_device  # loads torch

            request, wanted = request_of(config), quiet.apply_threads()
            remember_constants()
            load_user_modules(REGISTRY, Path.cwd(), request.load)
            check_threads(wanted)
            cases, notes = select(REGISTRY, request.selection(REGISTRY, resolve_device(request.device)))
        config.stash[CASES], config.stash[SHARD] = request.part(cases)
        config.stash[NOTES] = notes
    return config.stash[CASES]


def request_of(config: pytest.Config) -> RunRequest:
    """The request of this run."""
    return RunRequest(given=values(config.option, PREFIX))


def _unanswered(run: Run) -> tuple[Verdict, ...]:
    return unanswered_entries(REGISTRY, run, together=tuple(combinations(REGISTRY, Path.cwd())))


def _check_runner(config: pytest.Config) -> None:
    """A gate that cannot see all figures must not look as if it had."""
    option, request = config.option, request_of(config)
    if request.expect not in ("gate", "record"):
        return
    if request.records and request.partial:
        raise SetupError("a partial run records nothing: leave --partial out, or record from it with `suite record`")
    if getattr(option, "dist", "no") != "no" or getattr(option, "tx", None):
        raise SuiteError(
            "a gate needs one process: timings disturb each other under xdist; run it without -n (-p no:xdist)"
        )
    if not hasattr(option, "benchmark_skip"):
        raise SetupError("a gate needs pytest-benchmark: run it without -p no:benchmark")
    if option.benchmark_disable and not option.benchmark_enable:
        raise SuiteError("a gate needs its timings: run it without --benchmark-disable, or with --suite-expect=off")
    if option.benchmark_only:
        raise SetupError("a gate needs all metrics, not timings alone: run it without --benchmark-only")
    if getattr(option, "reruns", None):
        raise SetupError("a gate judges each metric once: run it without --reruns")
    if option.benchmark_skip:
        raise SuiteError("a gate needs its timings: run it without --benchmark-skip, or with --suite-expect=off")


def _check_selection(session: pytest.Session) -> None:
    """A run with deselected groups (-k, -m, a conftest.py) may only gate if its request says so explicitly."""
    if not request_of(session.config).complete:
        return
    there = _collected(session)
    planned = [(case, group) for case in cases_of(session.config) for group in case.groups]
    missing = [(str(case), group) for case, group in planned if (case, group) not in there]
    if missing:
        raise SetupError(
            f"{len(missing)} of {len(planned)} metric groups would not be measured, the first is "
            f"{' '.join(missing[0])}: a gate needs all of them; run it without -k and -m, look for a conftest.py that "
            "deselects tests, or add --partial"
        )


def _collected(session: pytest.Session) -> set[tuple[Case, Group]]:
    """The groups whose tests were collected, and not deselected."""
    return {(_case(item), _group(item)) for item in session.items if _case(item) is not None}


def _open(session: pytest.Session) -> None:
    config = session.config
    from suite.bench.integrity import check_suite
    from suite.bench.opening import open_run

    check_suite()  # what a loaded module replaced is told before anything is measured
    request, cases = request_of(config), cases_of(config)
    plan = request.plan()
    if plan.instructions:
        from suite.measure.counting.instructions import check_available

        check_available(cases[0].cell.device)  # an hour later would be late
    command = os.environ.get(COMMAND) or shlex.join(["pytest", *map(str, config.invocation_params.args)])
    config.stash[PROGRESS] = progress = progress_of(config, lambda: config.stash.get(RUN, None))
    config.stash[RUN] = run = open_run(
        REGISTRY,
        replace(request.options(command), shard=config.stash.get(SHARD, "")),
        plan=plan,
        cases=cases,
        reporter=progress.reporter,
    )
    run.bench.starting = progress.starting
    exit_code.tell(run=str(run.folder.path.resolve()))
    for note in config.stash.get(NOTES, []):
        sys.stderr.write(f"suite: {note}\n")


def _preflight(session: pytest.Session) -> None:
    """Leave out the workloads that cannot do one step, each with one message. Raises `SetupError` if none is left."""
    from suite.bench import pipeline

    config, run = session.config, session.config.stash[RUN]
    pipeline.preflight(run)
    say(config, [f"remark: {remark}" for remark in run.bench.remarks])
    left = [item for item in session.items if _case(item) is not None and _case(item) not in run.planned]
    if not left:
        return
    session.items[:] = [item for item in session.items if item not in left]
    if not any(_case(item) for item in session.items):
        del config.stash[RUN]  # nothing was measured, so nothing is reported
        raise SetupError("\n".join(run.faults.values()))
    config.hook.pytest_deselected(items=left)
    say(config, [f"suite: {fault}" for fault in run.faults.values()])


def _plan(session: pytest.Session) -> None:
    """Say how long the run will take, and let go of the cells that its minutes leave no room for."""
    from suite.bench import pipeline

    config, run = session.config, session.config.stash[RUN]
    try:
        found = time_budget.plan(run, _collected(session))
        pipeline.limit(run, found)
    except SuiteError:
        del config.stash[RUN]  # nothing was measured, so nothing is reported
        raise
    left = [item for item in session.items if _case(item) in found.left]
    if left:
        session.items[:] = [item for item in session.items if item not in left]
        config.hook.pytest_deselected(items=left)
    say(config, [*accelerator_lines(run.header), *found.lines()])


def _ending(session: pytest.Session, status: int) -> exit_code.Ending:
    return exit_code.Ending(
        status=int(status), failures=session.testsfailed, crashed=session.config.stash.get(CRASHED, False),
        collected=_collected(session),
    )  # fmt: skip


def _set_problem(session: pytest.Session, text: str) -> None:
    session.config.stash[PROBLEM] = text
    session.exitstatus = EXIT_NOTHING


def _measures(config: pytest.Config) -> bool:
    """Whether this run was to measure, and not only to list what it would."""
    return CASES in config.stash and _is_bench(config) and not config.option.collectonly


def _raise(run: Run, verdicts: Sequence[Verdict]) -> None:
    """Fail with one line per verdict that fails; skip if the case is unavailable."""
    failed = [verdict for verdict in verdicts if failing(verdict, run.options)]
    if failed:
        lines = [f"{v.kind} {v.metric or v.group}: {v.reason}" for v in failed]
        pytest.fail("\n".join(lines), pytrace=False)
    away = [verdict.reason for verdict in verdicts if verdict.kind is VerdictKind.UNAVAILABLE]
    if away:
        pytest.skip(away[0])


def _case(item: pytest.Item) -> Any:
    found = getattr(getattr(item, "callspec", None), "params", {}).get("suite_cell")
    return found if isinstance(found, Case) else None  # without cases pytest puts a marker of its own there


def _group(item: pytest.Item) -> Group:
    marker = item.get_closest_marker("suite_group")
    return marker.args[0] if marker else GROUPS[-1]


def _is_bench(config: pytest.Config) -> bool:
    """Whether this pytest run was asked for the suite's own benchmarks."""
    return any(_names_benchmarks(argument.partition("::")[0]) for argument in config.args)


def _names_benchmarks(argument: str) -> bool:
    ours, path = PACKAGE / "bench" / "benchmarks", Path(argument).resolve()
    return argument.startswith("suite.bench.benchmarks") or ours in (path, *path.parents)


def _or_exit(step: Callable[[], object]) -> None:
    """Run a step; a user's error ends the run with one sentence and code 11."""
    try:
        step()
    except SuiteError as error:
        pytest.exit(f"suite: {error}", returncode=EXIT_UNUSABLE)
