"""``suite record``: stores the values of a run as expectations."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from suite.cli.command import MEASURE, Command, load_everything
from suite.core.errors import SuiteError, UsageError
from suite.core.exit_codes import EXIT_FAILED, EXIT_PASS
from suite.registry import REGISTRY
from suite.registry.settings import found_expect_dir, user_modules
from suite.report.foreign import printable


def _add_record(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("results", type=Path, nargs="?", help="a results folder, like reports/latest")
    parser.add_argument("--only", action="append", default=[], help="this composition or cell only (repeatable)")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--new", action="store_true", help="only metrics that have no expectation yet")
    how.add_argument("--anew", action="store_true", help="drop the values of earlier runs: the code changed on purpose")
    how.add_argument("--drift", action="store_true", help="only widen bounds of ratios to include this run")
    how.add_argument("--trim", action="store_true", help="remove entries whose technique is gone")
    parser.add_argument("--load", action="append", default=[], help="module or .py file to load (repeatable)")
    parser.add_argument("--expect-dir", type=Path)
    parser.set_defaults(run=_record)


def _record(parsed: argparse.Namespace, _: Sequence[str]) -> int:
    """Store the figures of an existing run as expectations, without running again."""
    from suite.gate import Skipped, Storing, record, skipped_lines
    from suite.report.endings import check_finished, incomplete
    from suite.report.results.folder import RunFolder

    if parsed.trim:
        return _trim(parsed)
    if parsed.results is None:
        raise UsageError("which results? name their folder: suite record reports/latest")
    folder = RunFolder.open(parsed.results)
    if not parsed.only:
        check_finished(folder)
    load_everything(parsed.load)
    for name in _not_loaded(folder.header.load, parsed.load):
        print(f"note: the run loaded {printable(name)}, which is not in your settings: not run without --load")
    only = [_canonical(name) for name in parsed.only]
    directory = parsed.expect_dir or found_expect_dir()
    half = incomplete(folder)
    measurements = [m for m in folder.measurements() if (m.cell, m.group) not in half]
    done = record(
        measurements, header=folder.header, directory=directory, only=only,
        how=Storing(new=parsed.new, anew=parsed.anew, drift=parsed.drift),
    )  # fmt: skip
    cut = [Skipped(f"{cell} {group}", "the run was ended while it measured this") for cell, group in sorted(half)]
    for line in skipped_lines([*cut, *done.skipped]):
        print(f"not recorded: {line}")
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


def _trim(parsed: argparse.Namespace) -> int:
    """Remove the user's entries that no technique answers; says which."""
    from suite.gate import load_all
    from suite.gate.files.trim import orphans, trim

    if parsed.results is not None or parsed.only:
        raise UsageError("--trim looks at the stored entries alone: suite record --trim [--expect-dir FOLDER]")
    directory = parsed.expect_dir or found_expect_dir()
    load_everything()
    gone = orphans(load_all(directory), workloads=REGISTRY.workloads, canonical=REGISTRY.canonical)
    trim(directory, gone)
    for entry in gone:
        print(f"removed: {entry.path}:{entry.line}: {entry.technique} {entry.metric}")
    print(f"{len(gone)} entries removed from {directory}")
    return EXIT_PASS


def _canonical(name: str) -> str:
    """A composition in its one spelling; a cell's name as it is."""
    try:
        return REGISTRY.canonical(name)
    except SuiteError:
        return name


COMMANDS = (
    Command(
        name="record",
        help="store a run's metrics as expectations",
        add=_add_record,
        example="suite record reports/latest --new",
        section=MEASURE,
        rank=3,
    ),
)
