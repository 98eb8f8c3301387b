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
        for path in _write_page(folders, parsed.reports_dir):
            print(path)
    return EXIT_PASS


def _show_tables(folder: RunFolder) -> None:
    from suite.report.tradeoffs import write

    paths = write(folder)
    print(next(path for path in paths if path.suffix == ".md").read_text("utf-8"))
    for path in paths:
        print(path)


def _write_page(folders: Sequence[RunFolder], reports_dir: Path) -> list[Path]:
    """The page and, with matplotlib, its picture: of a run in its folder, of several in the folder of reports."""
    from suite.cli.page_findings import findings
    from suite.report.page import PAGE, RunContent, picture, write

    runs = [RunContent.read(folder) for folder in folders]
    place = folders[0].path if len(folders) == 1 else reports_dir
    drawn = picture.draw(runs, place / picture.PICTURE)
    return [write(runs, place / PAGE, findings(runs, reports_dir)), *([drawn] if drawn else [])]


COMMANDS = (Command(name="report", help="write and show the tables of a run", add=_add_report, rank=4),)
