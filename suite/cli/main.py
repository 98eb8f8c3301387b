"""The ``suite`` command: what is measured, stored and reported, and what follows from it."""

from __future__ import annotations

import argparse
import errno
import os
import shlex
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from suite import __version__
from suite.bench import edge_profile
from suite.bench.exit_code import decide
from suite.bench.option_table import add_to_command_line, forwarded, values
from suite.bench.options import COMMAND, ENDED, Options
from suite.bench.request import policies
from suite.cli import aa, advise, compare, curves, data, load_test, plan, search, studies, trend, zoo
from suite.core.command_line import Parser, printable_streams, refuse_misspelt, refuse_unknown
from suite.core.errors import SuiteError, UsageError
from suite.core.exit_codes import EXIT_FAILED, EXIT_PASS, EXIT_UNUSABLE
from suite.core.machine import child, core, quiet
from suite.registry import REGISTRY
from suite.registry.settings import PACKAGE, found_expect_dir, load_user_modules, shipped_expectations, user_modules
from suite.report.foreign import printable

PLUGIN = "suite.bench.pytest_plugin.plugin"
PYTEST_VARIABLES = ("PYTEST_ADDOPTS", "PYTEST_PLUGINS", "PYTEST_DISABLE_PLUGIN_AUTOLOAD", "PYTEST_TIMEOUT")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code and prints errors as one message."""
    parser = build_parser()
    printable_streams()
    try:
        parsed, rest = parser.parse_known_args(arguments)
        if rest and parsed.command != "bench":
            refuse_unknown(_parser_of(parser, parsed.command), rest)
        return int(parsed.run(parsed, rest))
    except SuiteError as error:
        print(f"suite: {error}", file=sys.stderr)
        return EXIT_UNUSABLE
    except BrokenPipeError:  # `suite list | head`: the reader has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is still buffered has nowhere to go
        return EXIT_PASS
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        print(f"suite: {error.filename or 'a file'} cannot be written: {error.strerror}", file=sys.stderr)
        return EXIT_UNUSABLE


def _parser_of(parser: Parser, command: str) -> Parser:
    choices = next(action.choices for action in parser._actions if action.dest == "command")  # noqa: SLF001
    found = dict(choices or {})[command]
    assert isinstance(found, Parser)  # noqa: S101  # subparsers are of their parent's class
    return found


def build_parser() -> Parser:
    """The parser of all subcommands."""
    parser = Parser(prog="suite", description=__doc__, allow_abbrev=False)
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True)
    _add_init(commands.add_parser("init", help="write a workload, settings and a CI workflow into a repository"))
    _add_bench(commands.add_parser("bench", help="measure cells and check them", allow_abbrev=False))
    _add_record(commands.add_parser("record", help="store figures of a run as expectations"))
    _add_report(commands.add_parser("report", help="write and show the tables of a run"))
    plan.add_plan(commands.add_parser("plan", help="the best measured cell within budgets"))
    search.add(commands.add_parser("search", help="find the best composition within budgets", allow_abbrev=False))
    plan.add_roi(commands.add_parser("roi", help="what each technique returns on its investment"))
    _add_list(commands.add_parser("list", help="list workloads, techniques or metrics"))
    _add_lint(commands.add_parser("lint", help="check expectation files"))
    advise.add_profile(commands.add_parser("profile", help="where the time of a cell goes, and what limits it"))
    advise.add_advise(commands.add_parser("advise", help="what to do next, from a learning curve and a profile"))
    curves.add(commands.add_parser("curves", help="measure learning and scaling curves, fit and forecast them"))
    compare.add(commands.add_parser("compare", help="this code against another version, without a stored figure"))
    trend.add(commands.add_parser("history", help="what runs measured over time"))
    trend.add_trend(commands.add_parser("trend", help="where a figure changed over the runs of a history"))
    aa.add(commands.add_parser("aa", help="the noise of speed on unchanged code, and what a gate can see"))
    studies.add_gate_study(commands.add_parser("gate-study", help="the gate and its peers on planted slowdowns"))
    load_test.add(commands.add_parser("serving", help="a cell under load: latency, throughput, dynamic batching"))
    zoo.add(commands.add_parser("zoo", help="count torchvision's networks, and check our counts against its own"))
    data.add(commands.add_parser("data", help="say which data sets are there, or download one"))
    commands.add_parser("doctor", help="what this machine is and has").set_defaults(run=_doctor)
    return parser


def _add_init(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, nargs="?", default=Path(), help="the repository (default: here)")
    parser.set_defaults(run=_init)


def _init(parsed: argparse.Namespace, _: Sequence[str]) -> int:
    """Write what a repository needs to gate; nothing that is there is changed."""
    from suite.cli.init import init

    for line in init(parsed.folder):
        print(line)
    return EXIT_PASS


def _add_bench(parser: argparse.ArgumentParser) -> None:
    parser.description = "Measure cells in a quiet process. Further arguments go to pytest."
    add_to_command_line(parser)
    parser.set_defaults(run=_bench)


def _bench(parsed: argparse.Namespace, rest: Sequence[str]) -> int:
    """Start pytest on the suite's own tests, with their own configuration, in a quiet process."""
    refuse_misspelt(_parser_of(build_parser(), "bench"), rest)
    _settle_edge(parsed)
    environment = quiet.environment(os.environ, threads=parsed.threads, accelerator=child.on_accelerator(parsed.device))
    for name in PYTEST_VARIABLES:  # a user's repository must not change what a gate measures
        environment.pop(name, None)
    if parsed.wait:
        environment[core.WAIT] = "1"
    environment[COMMAND] = shlex.join(["suite", *sys.argv[1:]])  # what a person would type again
    command = [sys.executable, "-P", "-m", "suite.bench.workers.pytest_process", *_pytest_arguments(parsed), *rest]
    with tempfile.TemporaryDirectory(prefix="suite-") as folder:
        ended = Path(folder) / "ended"
        code = child.run_to_end(command, environment | {ENDED: str(ended)})
        code, why = decide(code, ended, Options(**policies(values(parsed))), rest)
    if why:
        print(f"suite: {why}", file=sys.stderr)
    return code


def _settle_edge(parsed: argparse.Namespace) -> None:
    """Fill in what ``--edge`` implies. Raises `UsageError` for options that contradict it."""
    if not parsed.edge:
        if parsed.memory is not None:
            raise UsageError(f"--memory {parsed.memory} caps the memory of the edge profile; say --edge too")
        return
    if parsed.threads != 1 or parsed.device not in ("auto", "cpu"):
        raise UsageError(
            f"--edge is one thread of a CPU, got --threads {parsed.threads} --device {parsed.device}; leave them out"
        )
    parsed.device = "cpu"
    parsed.memory = edge_profile.DEFAULT_CAP if parsed.memory is None else parsed.memory
    edge_profile.cap(parsed.memory)  # a slip is told before pytest starts


def _pytest_arguments(parsed: argparse.Namespace) -> list[str]:
    config, here = PACKAGE / "bench" / "benchmarks" / "pytest.ini", Path.cwd()
    plugin = ["-p", PLUGIN]  # a checkout that is not installed has no entry point; twice is once for pytest
    own = ["-c", str(config), f"--rootdir={here}", f"--confcutdir={here}", "--pyargs", "suite.bench.benchmarks", "-q"]
    return [*plugin, *own, *forwarded(values(parsed))]


def _add_record(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("results", type=Path, nargs="?", help="a results folder, like reports/latest")
    parser.add_argument("--only", action="append", default=[], help="this composition or cell only (repeatable)")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--new", action="store_true", help="only what has no expectation yet")
    how.add_argument("--anew", action="store_true", help="forget what earlier runs saw: the code changed on purpose")
    how.add_argument("--drift", action="store_true", help="only widen bounds of ratios so that they hold this run too")
    how.add_argument("--trim", action="store_true", help="remove entries that no technique answers any more")
    parser.add_argument("--load", action="append", default=[], help="module or .py file to load (repeatable)")
    parser.add_argument("--expect-dir", type=Path)
    parser.set_defaults(run=_record)


def _record(parsed: argparse.Namespace, _: Sequence[str]) -> int:
    """Store the figures of an existing run as expectations, without running again."""
    from suite.gate import record
    from suite.report.endings import check_finished, incomplete
    from suite.report.results.folder import RunFolder

    if parsed.trim:
        return _trim(parsed)
    if parsed.results is None:
        raise UsageError("which results? name their folder: suite record reports/latest")
    folder = RunFolder.open(parsed.results)
    if not parsed.only:
        check_finished(folder)
    _load_all(parsed.load)
    for name in _not_loaded(folder.header.load, parsed.load):
        print(f"note: the run loaded {printable(name)}, which is not in your settings: not run without --load")
    only = [_canonical(name) for name in parsed.only]
    directory = parsed.expect_dir or found_expect_dir()
    half = incomplete(folder)
    measurements = [m for m in folder.measurements() if (m.cell, m.group) not in half]
    done = record(
        measurements, header=folder.header, directory=directory, only=only,
        new=parsed.new, anew=parsed.anew, drift=parsed.drift,
    )  # fmt: skip
    cut = [f"{cell} {group}: the run was ended while it measured this" for cell, group in sorted(half)]
    for reason in [*cut, *done.skipped]:
        print(f"not recorded: {reason}")
    for path in done.changed:
        print(path)
    for note in done.notes:
        print(note)
    print(f"{done.added} added, {done.updated} updated")
    known = {name for m in folder.measurements() for name in (m.cell.technique, str(m.cell))}
    return EXIT_PASS if set(only) <= known else EXIT_FAILED


def _not_loaded(named: Sequence[str], given: Sequence[str]) -> list[str]:
    """Modules that a run's records name, and neither the user's settings nor ``--load``: they may be anybody's."""
    known = {Path(name).resolve() if name.endswith(".py") else name for name in (*user_modules(Path.cwd()), *given)}
    return [name for name in named if (Path(name).resolve() if name.endswith(".py") else name) not in known]


def _load_all(modules: list[str]) -> None:
    """Load the user's modules and all workloads of the suite: their scores are names of metrics in files."""
    load_user_modules(REGISTRY, Path.cwd(), modules)
    assert REGISTRY.workloads  # noqa: S101  # asking loads them


def _trim(parsed: argparse.Namespace) -> int:
    """Remove the user's entries that no technique answers; says which."""
    from suite.gate import load_all
    from suite.gate.files.trim import orphans, trim

    if parsed.results is not None or parsed.only:
        raise UsageError("--trim looks at the stored entries alone: suite record --trim [--expect-dir FOLDER]")
    directory = parsed.expect_dir or found_expect_dir()
    _load_all([])
    gone = orphans(load_all(directory), workloads=REGISTRY.workloads, canonical=REGISTRY.canonical)
    trim(directory, gone)
    for entry in gone:
        print(f"removed: {entry.path}:{entry.line}: {entry.technique} {entry.metric}")
    print(f"{len(gone)} entries removed from {directory}")
    return EXIT_PASS


def _canonical(name: str) -> str:
    """A composition in its one spelling; a cell's name as it stands."""
    try:
        return REGISTRY.canonical(name)
    except SuiteError:
        return name


def _add_report(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("results", type=Path, nargs="?", help="a results folder (default: the latest)")
    parser.add_argument("--reports-dir", type=Path, default=Path("reports"))
    parser.set_defaults(run=_report)


def _report(parsed: argparse.Namespace, _: Sequence[str]) -> int:
    """Write the tables of a run from its records and print the Markdown one."""
    from suite.report.results.folder import RunFolder, latest
    from suite.report.tradeoffs import write

    folder = RunFolder.open(parsed.results or latest(parsed.reports_dir))
    paths = write(folder)
    print(next(path for path in paths if path.suffix == ".md").read_text("utf-8"))
    for path in paths:
        print(path)
    return EXIT_PASS


def _add_list(parser: argparse.ArgumentParser) -> None:
    kinds = ("workloads", "techniques", "combinations", "metrics", "expectations")
    parser.add_argument("what", choices=kinds, nargs="?")
    for kind in kinds:
        parser.add_argument(f"--{kind}", dest="kind", action="store_const", const=kind, help=argparse.SUPPRESS)
    parser.add_argument("--device", default="auto", help="the device that techniques may be unavailable on")
    parser.add_argument("--expect-dir", type=Path)
    parser.add_argument("--load", action="append", default=[])
    parser.set_defaults(run=_list)


def _list(parsed: argparse.Namespace, _: Sequence[str]) -> int:
    """One line for each thing, with what it is."""
    from suite.cli.listing import lines
    from suite.core.machine.hardware import resolve_device

    _load_all(parsed.load)
    directories = [parsed.expect_dir or found_expect_dir(), shipped_expectations()]
    for line in lines(REGISTRY, parsed.what or parsed.kind, directories, device=resolve_device(parsed.device)):
        print(line)
    return EXIT_PASS


def _add_lint(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("directory", type=Path, nargs="?")
    parser.set_defaults(run=_lint)


def _lint(parsed: argparse.Namespace, _: Sequence[str]) -> int:
    """Read every expectation file below a folder; what is unusable, unread or breaks by noise alone is named."""
    from suite.bench.opening import check_names, check_shape_names
    from suite.gate import load_both
    from suite.gate.files import lint
    from suite.gate.files.files import level_families
    from suite.gate.files.trim import orphans, told

    directory = parsed.directory or found_expect_dir()
    if not directory.is_dir():
        print(f"suite: there is no folder {directory}", file=sys.stderr)
        return EXIT_FAILED
    _load_all([])
    found, shapes = load_both(directory)
    check_names(REGISTRY, found)
    check_shape_names(REGISTRY, shapes)
    wrong = lint.faults(found, datetime.now(UTC).date())
    unread = [*lint.unread(directory, level_families(directory)), *lint.misspelt(found, REGISTRY.workloads)]
    gone = orphans(found, workloads=REGISTRY.workloads, canonical=REGISTRY.canonical)
    for line in [*(f"{at}: {said}" for at, said in wrong.items()), *unread, *map(told, gone)]:
        print(line)
    also = f" and {len(shapes)} shapes of sweeps" if shapes else ""
    print(f"{len(found) - len(wrong)} of {len(found)} expectations{also} in {directory} can be used")
    return EXIT_FAILED if wrong or unread else EXIT_PASS


def _doctor(_parsed: argparse.Namespace, _: Sequence[str]) -> int:
    """Print the machine's key, family, versions, ceilings and what is missing."""
    from suite.cli.doctor import lines

    for line in lines():
        print(line)
    return EXIT_PASS
