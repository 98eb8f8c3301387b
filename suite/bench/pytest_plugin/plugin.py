"""The pytest plugin: options, cases as parameters, one shared run, a summary that says what to do.

Importing it loads neither torch nor pandas, since it is loaded by every pytest run of an environment.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from suite.bench import edge_profile, exit_code, time_budget
from suite.bench.combinations import combinations
from suite.bench.completeness import left_out_line, unanswered_entries
from suite.bench.options import COMMAND, DEFAULT_SEEDS, EXPECT, POLICIES, Options
from suite.bench.pytest_plugin.output import (
    Progress,
    accelerator_lines,
    hush_benchmark_table,
    say,
    summarize,
    tell_github,
)
from suite.bench.resolved_cell import Case
from suite.bench.selection import Selection, select
from suite.core import phases
from suite.core.errors import SetupError, SuiteError
from suite.core.exit_codes import EXIT_FAILED, EXIT_INCONCLUSIVE, EXIT_NOTHING, EXIT_PASS, EXIT_UNUSABLE
from suite.core.records import GROUPS, TIERS, Group, Verdict, VerdictKind
from suite.registry import REGISTRY
from suite.registry.settings import PACKAGE, found_expect_dir, keeps_history, load_user_modules

if TYPE_CHECKING:
    from suite.bench.session import Session

CASES = pytest.StashKey[list[Case]]()
NOTES = pytest.StashKey[list[str]]()
SESSION = pytest.StashKey["Session"]()
CRASHED = pytest.StashKey[bool]()
PROBLEM = pytest.StashKey[str]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of bench runs; each carries the prefix ``--suite-`` so that a user's own do not clash."""
    group = parser.getgroup("suite", "optimization techniques measured against stored expectations")
    add = group.addoption
    add("--suite-device", default="auto", help="auto, cpu, gpu (any accelerator), cuda, cuda:1, xpu, mps")
    add("--suite-precision", default="fp32", help="compose every technique with those of it: fp32, bf16, fp16, ...")
    add("--suite-workload", action="append", default=[], help="run this workload only (repeatable)")
    add("--suite-technique", action="append", default=[], help="run this composition only (repeatable)")
    add("--suite-seeds", type=int, default=None, help="seeds of quality (default: see --help of `suite bench`)")
    add("--suite-processes", type=int, default=None, help="processes a timing is replicated over")
    add("--suite-expect", choices=EXPECT, default="gate", help="what to do with expectations (default gate)")
    add("--suite-expect-dir", type=Path, default=None, help="your expectation files (default: expectations, upwards)")
    add("--suite-unverified", choices=POLICIES, default="report", help="whether figures without expectation fail")
    add("--suite-inconclusive", choices=POLICIES, default=None, help="whether inconclusive timings fail")
    add("--suite-unavailable", choices=POLICIES, default="report", help="whether cells that cannot run here fail")
    add("--suite-allow-improvement", action="store_true", help="improved figures do not fail")
    add("--suite-partial", action="store_true", help="let a gate look at the part that -k or -m leaves")
    add("--suite-gate-tier", action="append", default=[], choices=TIERS, help="only this tier can fail (repeatable)")
    add("--suite-reports-dir", type=Path, default=Path("reports"), help="where results are written")
    add("--suite-load", action="append", default=[], help="module or .py file that declares techniques or workloads")
    add("--suite-resume", type=Path, default=None, help="results folder of an interrupted run to go on with")
    add("--suite-max-minutes", type=float, default=None, help="leave out cells that would not fit into so many minutes")
    add("--suite-reuse", action="store_true", help="take trainings of earlier runs where nothing has changed")
    add("--suite-cache-dir", type=Path, default=None, help="where trainings are kept (default: cache, below reports)")
    add("--suite-history", action="store_true", help="add the figures to the history, below reports")
    add("--suite-quick", action="store_true", help="one seed for each technique, short timings, no fresh processes")
    add("--suite-slow", action="store_true", help="run what trains many times as long as its control, too")
    add("--suite-edge", metavar="MEMORY", help="serve one item at a time, in no more memory than that: 256MB")
    add("--suite-full", action="store_true", help="run every technique's sweep")
    add("--suite-combinations", action="store_true", help="run the combinations instead of each technique alone")
    add("--suite-sweep", action="store_true", help="run each technique's whole sweep, in any profile")


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Announce the marker that says which group of metrics a test measures."""
    if _is_bench(config):
        hush_benchmark_table(config)
    config.addinivalue_line("markers", "suite_group(name): the group of metrics that this test measures")


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> None:
    """Find mistakes in the options before anything is collected."""
    if _is_bench(session.config) and not hasattr(session.config, "workerinput"):
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
def pytest_runtestloop(session: pytest.Session) -> Iterator[None]:
    """Open the run's folder before the first case is measured, unless a gate would see only a part."""
    config = session.config
    if any(_case(item) for item in session.items) and not config.option.collectonly:
        _or_exit(lambda: _check_selection(session))
        _or_exit(lambda: _open(session))
        _or_exit(lambda: _preflight(session))
        _or_exit(lambda: _plan(session))
    return (yield)


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Free a case's networks after its last test."""
    case, following = _case(item), None if nextitem is None else _case(nextitem)
    run = item.config.stash.get(SESSION, None)
    if run is not None and case is not None and case is not following:
        run.release(case, following)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Write the tables (after Ctrl-C too) and turn verdicts into the exit code, before the summary is printed."""
    config = session.config
    run = config.stash.get(SESSION, None)
    if run is None:
        if exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED) and _measures(config):
            _set_problem(session, "nothing was collected, so nothing is gated; loosen -k, -m or python_files")
        return
    from suite.bench.integrity import check_suite

    with run:
        whole = exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)
        try:
            check_suite()
            answered = _unanswered(run) if whole else ()
            run.finish([*answered, *(run.shapes() if whole else ())], interrupted=not whole)
        except SuiteError as error:
            config.stash[PROBLEM] = str(error)
            session.exitstatus = EXIT_UNUSABLE if whole else exitstatus  # an interrupted run stays one
            return
        if whole:
            session.exitstatus = code = _exit_code(session, run, exitstatus)
            run.end(code)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """The table, what needs attention with the command for it, and where the time went."""
    run, problem = config.stash.get(SESSION, None), config.stash.get(PROBLEM, None)
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
    from suite.report.junit import properties

    session = request.config.stash[SESSION]

    def run(case: Case, group: Group, then: Callable[[Mapping[str, Any]], None] | None = None) -> list[Verdict]:
        if not session.starts(case):
            pytest.skip(time_budget.SPENT)
        try:
            verdicts = session.run(case, group)
            if then is not None:
                then(session.bench.samples)
        except Exception:  # no verdict tells of it, so the exit code must
            request.config.stash[CRASHED] = True
            raise
        request.node.user_properties.extend(properties(verdicts))
        _raise(session, verdicts)
        return verdicts

    return run


def cases_of(config: pytest.Config) -> list[Case]:
    """The cases that the options select, found once."""
    if CASES not in config.stash:
        with phases.phase("imports"):
            from suite.bench.flag_guard import check_threads
            from suite.core.machine import quiet
            from suite.core.machine.hardware import resolve_device  # loads torch

            wanted = quiet.apply_threads()
            load_user_modules(REGISTRY, Path.cwd(), config.option.suite_load)
            check_threads(wanted)
            cases, notes = select(REGISTRY, _selection(config, resolve_device(config.option.suite_device)))
        config.stash[CASES] = cases
        config.stash[NOTES] = notes
    return config.stash[CASES]


def _selection(config: pytest.Config, device: str) -> Selection:
    option = config.option
    if option.suite_combinations and option.suite_technique:
        raise SuiteError("--suite-combinations chooses compositions, and so does --suite-technique; give one of them")
    return Selection(
        device=device,
        workloads=option.suite_workload,
        techniques=option.suite_technique,
        precision=option.suite_precision,
        profile=_profile(config),
        sweep=option.suite_sweep,
        combinations=_combinations(config),
        together=option.suite_combinations,
        batch=None if option.suite_edge is None else edge_profile.BATCH,
    )


def _unanswered(run: Session) -> tuple[Verdict, ...]:
    return unanswered_entries(REGISTRY, run, together=tuple(combinations(REGISTRY, Path.cwd())))


def _combinations(config: pytest.Config) -> tuple[str, ...]:
    """Those that run by themselves, or as a part of everything; a fault in a user's own is found in any run."""
    found = tuple(combinations(REGISTRY, Path.cwd()))
    return found if config.option.suite_combinations or config.option.suite_full else ()


def _profile(config: pytest.Config) -> Any:
    if config.option.suite_quick and config.option.suite_full:
        raise SuiteError("--suite-quick and --suite-full exclude each other; give one of them")
    return "quick" if config.option.suite_quick else "full" if config.option.suite_full else "default"


def _check_runner(config: pytest.Config) -> None:
    """A gate that cannot see all figures must not look as if it had."""
    option = config.option
    if option.suite_expect not in ("gate", "record"):
        return
    if option.suite_expect == "record" and option.suite_partial:
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
        raise SetupError("a gate needs all figures, not timings alone: run it without --benchmark-only")
    if getattr(option, "reruns", None):
        raise SetupError("a gate judges each figure once: run it without --reruns")
    if option.benchmark_skip:
        raise SuiteError("a gate needs its timings: run it without --benchmark-skip, or with --suite-expect=off")


def _check_selection(session: pytest.Session) -> None:
    """A gate whose groups were narrowed (-k, -m, a conftest.py) must have been asked to be one."""
    option = session.config.option
    if option.suite_partial or option.suite_expect not in ("gate", "record"):
        return
    there = _collected(session)
    planned = [(case, group) for case in cases_of(session.config) for group in case.groups]
    missing = [(str(case), group) for case, group in planned if (case, group) not in there]
    if missing:
        raise SetupError(
            f"{len(missing)} of {len(planned)} groups of figures would not be measured, first {' '.join(missing[0])}: "
            "a gate needs them all; run it without -k and -m, look for a conftest.py that drops tests, or say --partial"
        )


def _collected(session: pytest.Session) -> set[tuple[Case, Group]]:
    """The groups whose tests were collected, and not deselected."""
    return {(_case(item), _group(item)) for item in session.items if _case(item) is not None}


def _open(session: pytest.Session) -> None:
    config, option = session.config, session.config.option
    from suite.bench.bench import Plan  # loads torch
    from suite.bench.integrity import check_suite
    from suite.bench.opening import open_session

    check_suite()  # what a loaded module replaced is told before anything is measured
    if option.suite_seeds is not None and option.suite_seeds < 1:
        raise SuiteError(f"--seeds must be at least 1, got {option.suite_seeds}")
    if option.suite_processes is not None and option.suite_processes < 1:
        raise SetupError(f"--processes must be at least 1, got {option.suite_processes}")
    profile, recording = _profile(config), option.suite_expect == "record"
    processes = option.suite_processes or (5 if recording and profile != "quick" else 1)
    few = profile == "default" and option.suite_seeds is None and not recording
    memory_cap = None if option.suite_edge is None else edge_profile.cap(option.suite_edge)
    config.stash[SESSION] = open_session(
        REGISTRY,
        _options(config),
        plan=Plan(
            profile=profile,
            seeds=option.suite_seeds or DEFAULT_SEEDS,
            few=few,
            processes=processes,
            memory_cap=memory_cap,
            slow=option.suite_slow or profile == "full" or bool(option.suite_technique),
        ),
        cases=cases_of(config),
        reporter=Progress(config).reporter,
    )
    exit_code.tell(run=str(config.stash[SESSION].folder.path.resolve()))
    for note in config.stash.get(NOTES, []):
        sys.stderr.write(f"suite: {note}\n")


def _preflight(session: pytest.Session) -> None:
    """Leave out the workloads that cannot do one step, each with one message. Raises `SetupError` if none is left."""
    config, run = session.config, session.config.stash[SESSION]
    run.preflight()
    say(config, [f"remark: {remark}" for remark in run.bench.remarks])
    left = [item for item in session.items if _case(item) is not None and _case(item) not in run.planned]
    if not left:
        return
    session.items[:] = [item for item in session.items if item not in left]
    if not any(_case(item) for item in session.items):
        del config.stash[SESSION]  # nothing was measured, so nothing is reported
        raise SetupError("\n".join(run.faults.values()))
    config.hook.pytest_deselected(items=left)
    say(config, [f"suite: {fault}" for fault in run.faults.values()])


def _plan(session: pytest.Session) -> None:
    """Say how long the run will take, and let go of the cells that its minutes leave no room for."""
    config, run = session.config, session.config.stash[SESSION]
    try:
        found = time_budget.plan(run, _collected(session))
        time_budget.narrow(run, found)
    except SuiteError:
        del config.stash[SESSION]  # nothing was measured, so nothing is reported
        raise
    left = [item for item in session.items if _case(item) in found.left]
    if left:
        session.items[:] = [item for item in session.items if item not in left]
        config.hook.pytest_deselected(items=left)
    say(config, [*accelerator_lines(run.header), *found.lines()])


def _options(config: pytest.Config) -> Options:
    option, selection = config.option, _selection(config, "")
    return Options(
        expect=option.suite_expect,
        expect_dir=option.suite_expect_dir or found_expect_dir(),
        unverified=option.suite_unverified,
        inconclusive=option.suite_inconclusive,
        unavailable=option.suite_unavailable,
        allow_improvement=option.suite_allow_improvement,
        partial=option.suite_partial,
        everything=selection.is_everything,
        workloads=tuple(selection.workloads),
        gate_tiers=tuple(option.suite_gate_tier) or TIERS,
        reports_dir=option.suite_reports_dir,
        resume=option.suite_resume,
        max_minutes=option.suite_max_minutes,
        reuse=(option.suite_cache_dir or option.suite_reports_dir / "cache") if option.suite_reuse else None,
        history=option.suite_history or keeps_history(Path.cwd()),
        load=tuple(option.suite_load),
        chosen=(*selection.workloads, *selection.techniques, selection.precision, *_modes(selection)),
        command=os.environ.get(COMMAND) or shlex.join(["pytest", *map(str, config.invocation_params.args)]),
    )


def _modes(selection: Selection) -> list[str]:
    """What else was chosen beside names."""
    return ["sweep"] * selection.sweep + ["combinations"] * selection.together


def _exit_code(session: pytest.Session, run: Session, exitstatus: int) -> int:
    """The verdicts' code; a run that did not measure what it planned has not gated, whatever it measured."""
    left = run.left_out()
    if run.options.partial:  # what -k and -m left out was to be; what they let through was to be measured
        there = _collected(session)
        left = [one for one in left if one in there and one[0] not in run.passed_over()]
    if session.config.stash.get(CRASHED, False):
        return EXIT_FAILED
    if run.faults:
        session.config.stash[PROBLEM] = "\n".join(run.faults.values())
        return EXIT_UNUSABLE
    retracted = exitstatus == pytest.ExitCode.TESTS_FAILED and session.testsfailed <= run.taken_back
    code = run.exit_code() or (EXIT_INCONCLUSIVE if retracted else exitstatus)
    if left and run.options.expect in ("gate", "record") and code == EXIT_PASS:
        _set_problem(session, left_out_line(left, run.planned))
        return EXIT_NOTHING
    return code


def _set_problem(session: pytest.Session, text: str) -> None:
    session.config.stash[PROBLEM] = text
    session.exitstatus = EXIT_NOTHING


def _measures(config: pytest.Config) -> bool:
    """Whether this run was to measure, and not only to list what it would."""
    return CASES in config.stash and _is_bench(config) and not config.option.collectonly


def _raise(session: Session, verdicts: Sequence[Verdict]) -> None:
    """Fail with one line per verdict that fails; skip if the case is unavailable."""
    failed = [verdict for verdict in verdicts if session.fails(verdict)]
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
    """Run a step; an error that a user can mend ends the run with one sentence and code 11."""
    try:
        step()
    except SuiteError as error:
        pytest.exit(f"suite: {error}", returncode=EXIT_UNUSABLE)
