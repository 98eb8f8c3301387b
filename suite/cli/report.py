"""``suite report``: the tables of a run again, and its measurements as a frame."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from suite.cli.command import Command
from suite.core.exit_codes import EXIT_PASS


def _add_report(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("results", type=Path, nargs="?", help="a results folder (default: the latest)")
    parser.add_argument("--reports-dir", type=Path, default=Path("reports"))
    parser.add_argument(
        "--frame", type=Path, metavar="FILE",
        help="write the measurements only, one row each, as .csv, .parquet, .md or .tex; RESULTS may hold many runs",
    )  # fmt: skip
    parser.add_argument(
        "--comment", action="store_true", help="write comment.md for a pull request; RESULTS may hold many runs"
    )
    parser.add_argument("--badge", action="store_true", help="write badge.svg; RESULTS may hold many runs")
    parser.set_defaults(run=_report)


def _report(parsed: argparse.Namespace, _: Sequence[str]) -> int:
    """Write the tables of a run from its records and print the Markdown one."""
    from suite.report.results.folder import latest

    results = parsed.results or latest(parsed.reports_dir)
    if parsed.frame is not None:
        return _write_frame(results, parsed.frame)
    if parsed.comment or parsed.badge:
        return _write_comment(results, with_comment=parsed.comment, with_badge=parsed.badge)
    return _write_tables(results)


def _write_tables(results: Path) -> int:
    from suite.report.results.folder import RunFolder
    from suite.report.tradeoffs import write

    paths = write(RunFolder.open(results))
    print(next(path for path in paths if path.suffix == ".md").read_text("utf-8"))
    for path in paths:
        print(path)
    return EXIT_PASS


def _write_comment(results: Path, *, with_comment: bool, with_badge: bool) -> int:
    from suite.report.run_comment import part, write
    from suite.report.tabular.loading import folders

    runs = folders(results)
    target = runs[0] if len(runs) == 1 else results
    for path in write([part(run) for run in runs], target, with_comment=with_comment, with_badge=with_badge):
        print(path)
    return EXIT_PASS


def _write_frame(results: Path, path: Path) -> int:
    from suite.report import load, save

    frame = load(results)
    for note in frame.attrs["notes"]:
        print(f"suite: {note}", file=sys.stderr)
    print(save(frame, path))
    return EXIT_PASS


COMMANDS = (Command(name="report", help="write and show the tables of a run", add=_add_report, rank=4),)
