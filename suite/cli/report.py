"""``suite report``: the tables of a run again, and the page of one or several runs."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from suite.cli.command import Command
from suite.core.exit_codes import EXIT_PASS

if TYPE_CHECKING:
    from suite.report.results.folder import RunFolder


def _add_report(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("results", type=Path, nargs="*", help="results folders (default: the latest)")
    parser.add_argument(
        "--page",
        action="store_true",
        help="also write index.html and tradeoffs.svg; of several folders into --reports-dir",
    )
    parser.add_argument("--reports-dir", type=Path, default=Path("reports"))
    parser.set_defaults(run=_report)


def _report(parsed: argparse.Namespace, _: Sequence[str]) -> int:
    """Write the tables of each run from its records and print the Markdown one."""
    from suite.report.results.folder import RunFolder, latest

    folders = [RunFolder.open(path) for path in parsed.results or [latest(parsed.reports_dir)]]
    for folder in folders:
        _show_tables(folder)
    if parsed.page:
        from suite.cli.report_page import write_page

        print(*write_page(folders, parsed.reports_dir), sep="\n")
    return EXIT_PASS


def _show_tables(folder: RunFolder) -> None:
    from suite.report.tradeoffs import write

    paths = write(folder)
    print(next(path for path in paths if path.suffix == ".md").read_text("utf-8"))
    for path in paths:
        print(path)


COMMANDS = (Command(name="report", help="write and show the tables of a run", add=_add_report, rank=4),)
