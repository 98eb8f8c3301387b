"""``suite report``: the tables and the page of runs, their measurements as a frame, a comment and a badge."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from suite.cli.command import Command
from suite.core.exit_codes import EXIT_PASS

if TYPE_CHECKING:
    from suite.report.results.folder import RunFolder


def _add_report(parser: argparse.ArgumentParser) -> None:
    option = parser.add_argument
    option("results", type=Path, nargs="*", help="results folders (default: the latest)")
    option(
        "--page",
        action="store_true",
        help="also write index.html and tradeoffs.svg; of several folders into --reports-dir",
    )
    option(
        "--frame",
        type=Path,
        metavar="FILE",
        help="write the measurements only, one row each, as .csv, .parquet, .md or .tex; RESULTS may hold many runs",
    )
    option("--comment", action="store_true", help="write comment.md for a pull request; RESULTS may hold many runs")
    option("--badge", action="store_true", help="write badge.svg; RESULTS may hold many runs")
    option("--reports-dir", type=Path, default=Path("reports"))
    parser.set_defaults(run=_report)


def _report(parsed: argparse.Namespace, _: Sequence[str]) -> int:
    """Write the tables of each run from its records and print the Markdown one."""
    from suite.report.results.folder import RunFolder, latest

    results = parsed.results or [latest(parsed.reports_dir)]
    if parsed.frame is not None:
        return _write_frame(results, parsed.frame)
    if parsed.comment or parsed.badge:
        return _write_comment(results, with_comment=parsed.comment, with_badge=parsed.badge)
    folders = [RunFolder.open(path) for path in results]
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


def _write_comment(results: Sequence[Path], *, with_comment: bool, with_badge: bool) -> int:
    from suite.report.run_comment import part, write
    from suite.report.tabular.loading import folders

    runs = folders(results)
    target = runs[0] if len(runs) == 1 else results[0]
    for path in write([part(run) for run in runs], target, with_comment=with_comment, with_badge=with_badge):
        print(path)
    return EXIT_PASS


def _write_frame(results: Sequence[Path], path: Path) -> int:
    from suite.report import load, save

    frame = load(results)
    for note in frame.attrs["notes"]:
        print(f"suite: {note}", file=sys.stderr)
    print(save(frame, path))
    return EXIT_PASS


COMMANDS = (Command(name="report", help="write and show the tables of a run", add=_add_report, rank=4),)
