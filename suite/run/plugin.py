"""The pytest plugin: options, cells as parameters, one shared run, a summary that says what to do.

Importing it loads neither torch nor pandas, since it is loaded by every pytest run of an environment.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from suite import phases
from suite.errors import SetupError, SuiteError
from suite.records import GROUPS, TIERS, Cell, Group, Verdict, VerdictKind
from suite.registry import REGISTRY
from suite.run.cells import PRECISIONS, Selection, select
from suite.run.plugin_output import Progress, summarize
from suite.run.session import COMMAND, DEFAULT_SEEDS, EXIT_FAILED, EXIT_UNUSABLE, EXPECT, Options, Session, open_session
from suite.settings import PACKAGE, load_user_modules

CELLS = pytest.StashKey[list[Cell]]()
NOTES = pytest.StashKey[list[str]]()
SESSION = pytest.StashKey[Session]()
CRASHED = pytest.StashKey[bool]()
PROBLEM = pytest.StashKey[str]()
POLICIES = ("report", "fail")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of bench runs; each carries the prefix ``--suite-`` so that a user's own do not clash."""
    group = parser.getgroup("suite", "optimization techniques measured against stored expectations")
    add = group.addoption
    add("--suite-device", default="auto", help="auto, cpu, gpu (any accelerator), cuda, cuda:1, xpu, mps")
    add("--suite-precision", default="fp32", help=f"compose every technique with it: {', '.join(PRECISIONS)}")
    add("--suite-workload", action="append", default=[], help="run this workload only (repeatable)")
    add("--suite-technique", action="append", default=[], help="run this composition only (repeatable)")
    add("--suite-seeds", type=int, default=DEFAULT_SEEDS, help="seeds of quality (default 5)")
    add("--suite-processes", type=int, default=None, help="processes a timing is replicated over")
    add("--suite-expect", choices=EXPECT, default="gate", help="what to do with expectations (default gate)")
    add("--suite-expect-dir", type=Path, default=Path("expectations"), help="your expectation files")
    add("--suite-unverified", choices=POLICIES, default="report", help="whether figures without expectation fail")
    add("--suite-inconclusive", choices=POLICIES, default="report", help="whether inconclusive timings fail")
    add("--suite-gate-tier", action="append", default=[], choices=TIERS, help="only this tier can fail (repeatable)")
    add("--suite-reports-dir", type=Path, default=Path("reports"), help="where results are written")
    add("--suite-load", action="append", default=[], help="module or .py file that declares techniques or workloads")
    add("--suite-resume", type=Path, default=None, help="results folder of an interrupted run to go on with")
    add("--suite-quick", action="store_true", help="one seed for each technique, short timings, no fresh processes")
    add("--suite-full", action="store_true", help="run every technique's sweep")


def pytest_configure(config: pytest.Config) -> None:
    """Announce the marker that says which group of metrics a test measures."""
    config.addinivalue_line("markers", "suite_group(name): the group of metrics that this test measures")


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> None:
    """Find mistakes in the options before anything is collected."""
    if _is_bench(session.config) and not hasattr(session.config, "workerinput"):
        _or_exit(lambda: _check_runner(session.config))
        _or_exit(lambda: cells_of(session.config))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test per cell that has the group of metrics which the test measures."""
    if "suite_cell" not in metafunc.fixturenames:
        return
    marker = metafunc.definition.get_closest_marker("suite_group")
    cells = [cell for cell in cells_of(metafunc.config) if marker is None or _has_group(cell, marker.args[0])]
    metafunc.parametrize("suite_cell", cells, ids=str)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Run cell by cell, so that a cell's networks can be freed before the next one starts."""
    ours = [item for item in items if _cell(item) is not None]
    if ours:
        order = {cell: index for index, cell in enumerate(cells_of(config))}
        others = [item for item in items if _cell(item) is None]
        items[:] = others + sorted(ours, key=lambda item: (order[_cell(item)], GROUPS.index(_group(item))))


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop(session: pytest.Session) -> Iterator[None]:
    """Open the run's folder before the first cell is measured."""
    config = session.config
    if any(_cell(item) for item in session.items) and not config.option.collectonly:
        _or_exit(lambda: _open(session))
    return (yield)


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Free a cell's networks after its last test."""
    cell, following = _cell(item), None if nextitem is None else _cell(nextitem)
    run = item.config.stash.get(SESSION, None)
    if run is not None and cell is not None and cell != following:
        run.release(cell, following)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Write the tables (after Ctrl-C too) and turn verdicts into the exit code, before the summary is printed."""
    config = session.config
    run = config.stash.get(SESSION, None)
    if run is None:
        if exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED and CELLS in config.stash and _is_bench(config):
            config.stash[PROBLEM] = "nothing was collected, so nothing is gated; loosen -k, -m or python_files"
            session.exitstatus = EXIT_UNUSABLE
        return
    try:
        run.finish()
    except SuiteError as error:
        config.stash[PROBLEM] = str(error)
        session.exitstatus = EXIT_UNUSABLE
        return
    if exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        session.exitstatus = EXIT_FAILED if config.stash.get(CRASHED, False) else run.exit_code() or exitstatus


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """The table, what needs attention with the command for it, and where the time went."""
    run, problem = config.stash.get(SESSION, None), config.stash.get(PROBLEM, None)
    if run is not None:
        summarize(terminalreporter, run)
    if problem is not None:
        terminalreporter.line(f"suite: {problem}", red=True)


@pytest.fixture
def suite_run(request: pytest.FixtureRequest) -> Callable[..., list[Verdict]]:
    """Measure one group of a cell and fail, skip or pass by its verdicts.

    ``suite_run(cell, group, then=...)``: ``then`` receives the cell's raw samples by name before the verdicts count.
    """
    session = request.config.stash[SESSION]

    def run(cell: Cell, group: Group, then: Callable[[Mapping[str, Any]], None] | None = None) -> list[Verdict]:
        try:
            verdicts = session.run(cell, group)
            if then is not None:
                then(session.bench.samples)
        except Exception:  # no verdict tells of it, so the exit code must
            request.config.stash[CRASHED] = True
            raise
        _raise(session, verdicts)
        return verdicts

    return run


def cells_of(config: pytest.Config) -> list[Cell]:
    """The cells that the options select, found once."""
    if CELLS not in config.stash:
        option = config.option
        with phases.phase("imports"):
            load_user_modules(REGISTRY, Path.cwd(), option.suite_load)
            from suite.machine.hardware import resolve_device  # loads torch

            selection = Selection(
                device=resolve_device(option.suite_device),
                workloads=option.suite_workload,
                techniques=option.suite_technique,
                precision=option.suite_precision,
                profile=_profile(config),
            )
            cells, notes = select(REGISTRY, selection)
        config.stash[CELLS] = cells
        config.stash[NOTES] = notes
    return config.stash[CELLS]


def _profile(config: pytest.Config) -> Any:
    if config.option.suite_quick and config.option.suite_full:
        raise SuiteError("--suite-quick and --suite-full exclude each other; give one of them")
    return "quick" if config.option.suite_quick else "full" if config.option.suite_full else "default"


def _check_runner(config: pytest.Config) -> None:
    """A gate that cannot see all figures must not look as if it had."""
    option = config.option
    if option.suite_expect not in ("gate", "record"):
        return
    if getattr(option, "dist", "no") != "no" or getattr(option, "tx", None):
        raise SuiteError(
            "a gate needs one process: timings disturb each other under xdist; run it without -n (-p no:xdist)"
        )
    if not hasattr(option, "benchmark_skip"):
        raise SetupError("a gate needs pytest-benchmark: run it without -p no:benchmark")
    if option.benchmark_disable and not option.benchmark_enable:
        raise SuiteError("a gate needs its timings: run it without --benchmark-disable, or with --suite-expect=off")
    if option.benchmark_only:
        raise SetupError("a gate needs all figures, not timings alone: run it without --benchmark-only")
    if option.benchmark_skip:
        raise SuiteError("a gate needs its timings: run it without --benchmark-skip, or with --suite-expect=off")


def _open(session: pytest.Session) -> None:
    config, option = session.config, session.config.option
    from suite.run.bench import Plan  # loads torch

    if option.suite_seeds < 1:
        raise SuiteError(f"--seeds must be at least 1, got {option.suite_seeds}")
    if option.suite_processes is not None and option.suite_processes < 1:
        raise SetupError(f"--processes must be at least 1, got {option.suite_processes}")
    profile, recording = _profile(config), option.suite_expect == "record"
    processes = option.suite_processes or (5 if recording and profile != "quick" else 1)
    options = Options(
        expect=option.suite_expect,
        expect_dir=option.suite_expect_dir,
        unverified=option.suite_unverified,
        inconclusive=option.suite_inconclusive,
        gate_tiers=tuple(option.suite_gate_tier) or TIERS,
        reports_dir=option.suite_reports_dir,
        resume=option.suite_resume,
        load=tuple(option.suite_load),
        command=os.environ.get(COMMAND) or shlex.join(["pytest", *map(str, config.invocation_params.args)]),
    )
    cells = cells_of(config)
    workloads = list(dict.fromkeys(cell.workload for cell in cells))
    config.stash[SESSION] = open_session(
        REGISTRY,
        options,
        plan=Plan(profile=profile, seeds=option.suite_seeds, processes=processes),
        device=cells[0].device,
        workloads=workloads,
        reporter=Progress(config).reporter,
    )
    for note in config.stash.get(NOTES, []):
        sys.stderr.write(f"suite: {note}\n")


def _raise(session: Session, verdicts: list[Verdict]) -> None:
    """Fail with one line per verdict that fails; skip if the cell is unavailable."""
    failed = [verdict for verdict in verdicts if session.fails(verdict)]
    if failed:
        lines = [f"{v.kind} {v.metric or v.group}: {v.reason}" for v in failed]
        pytest.fail("\n".join(lines), pytrace=False)
    away = [verdict.reason for verdict in verdicts if verdict.kind is VerdictKind.UNAVAILABLE]
    if away:
        pytest.skip(away[0])


def _has_group(cell: Cell, group: Group) -> bool:
    return group != "quality" or REGISTRY.find_workload(cell.workload).labels


def _cell(item: pytest.Item) -> Any:
    found = getattr(getattr(item, "callspec", None), "params", {}).get("suite_cell")
    return found if isinstance(found, Cell) else None  # without cells pytest puts a marker of its own there


def _group(item: pytest.Item) -> Group:
    marker = item.get_closest_marker("suite_group")
    return marker.args[0] if marker else GROUPS[-1]


def _is_bench(config: pytest.Config) -> bool:
    """Whether this pytest run was asked for the suite's own benchmarks."""
    return any(_names_benchmarks(argument.partition("::")[0]) for argument in config.args)


def _names_benchmarks(argument: str) -> bool:
    ours, path = PACKAGE / "benchmarks", Path(argument).resolve()
    return argument.startswith("suite.benchmarks") or ours in (path, *path.parents)


def _or_exit(step: Callable[[], object]) -> None:
    """Run a step; an error that a user can mend ends the run with one sentence and code 11."""
    try:
        step()
    except SuiteError as error:
        pytest.exit(f"suite: {error}", returncode=EXIT_UNUSABLE)
