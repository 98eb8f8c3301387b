"""``suite report``: the tables of a run again."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from suite.cli.command import Command
from suite.core.exit_codes import EXIT_PASS


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


COMMANDS = (Command(name="report", help="write and show the tables of a run", add=_add_report, rank=4),)
