"""``suite report``: the tables and the page of runs, their measurements as a frame, a comment and a badge."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from suite.bench.option_table import PRICES_HELP
from suite.cli.command import RESULTS, Command, chosen_prices
from suite.core.exit_codes import EXIT_PASS

if TYPE_CHECKING:
    from suite.core.prices import Prices
    from suite.report.results.folder import RunFolder
    from suite.report.tradeoffs import TradeoffTable


def _add_report(parser: argparse.ArgumentParser) -> None:
    option = parser.add_argument
    option("results", type=Path, nargs="*", help="results folders, folders of them or patterns (default: the latest)")
    option(
        "--page",
        action="store_true",
        help="also write index.html and tradeoffs.svg; of several folders into --reports-dir",
    )
    option(
        "--frame",
        type=Path,
        metavar="FILE",
        help="write the measurements, one row each, as .csv, .parquet, .md or .tex",
    )
    option(
        "--comment", action="store_true", help="write comment.md for a pull request; of several runs into --reports-dir"
    )
    option("--badge", action="store_true", help="write badge.svg; of several runs into --reports-dir")
    option("--prices", type=Path, metavar="FILE", help=PRICES_HELP)
    option("--reports-dir", type=Path, default=Path("reports"))
    parser.set_defaults(run=_report)


def _report(parsed: argparse.Namespace, _: Sequence[str]) -> int:
    """Write what is asked for; without a frame, a comment or a badge the tables of each run, and print them."""
    from suite.report.results.folder import latest
    from suite.report.tabular.loading import folders

    results = folders(parsed.results or [latest(parsed.reports_dir)])
    comments = parsed.comment or parsed.badge
    if parsed.frame is not None:
        _write_frame(results, parsed.frame)
    if comments:
        _write_comment(results, parsed)
    if parsed.page or not (comments or parsed.frame):
        _write_tables(results, parsed)
    return EXIT_PASS


def _write_tables(results: Sequence[Path], parsed: argparse.Namespace) -> None:
    """The tables of each run and, with --page, the page of all."""
    from suite.report.results.folder import RunFolder

    runs = [RunFolder.open(path) for path in results]
    prices = chosen_prices(parsed.prices)
    tables = [_show_tables(run, prices) for run in runs]
    if parsed.page:
        from suite.cli.report_page import write_page

        print(*write_page(runs, parsed.reports_dir, [table.frame() for table in tables]), sep="\n")


def _show_tables(folder: RunFolder, prices: Prices | None) -> TradeoffTable:
    """Write and print the tables of a run, with costs where there are prices; returns its trade-offs."""
    from suite.report.tradeoffs import write_rows

    where = folder.header.where
    paths, table = write_rows(folder, None if prices is None else prices.at(where.machine, where.family))
    print(next(path for path in paths if path.suffix == ".md").read_text("utf-8"))
    print(*paths, sep="\n")
    return table


def _write_comment(results: Sequence[Path], parsed: argparse.Namespace) -> None:
    """The comment and the badge: of one run into its folder, of several into the folder of reports."""
    from suite.report.results.folder import RunFolder
    from suite.report.run_comment import part, write

    target = RunFolder.open(results[0]).path if len(results) == 1 else parsed.reports_dir
    parts = [part(path) for path in results]
    print(*write(parts, target, with_comment=parsed.comment, with_badge=parsed.badge), sep="\n")


def _write_frame(results: Sequence[Path], path: Path) -> None:
    from suite.report import load, save

    frame = load(results)
    for note in frame.attrs["notes"]:
        print(f"suite: {note}", file=sys.stderr)
    print(save(frame, path))


COMMANDS = (
    Command(
        name="report",
        help="write and show the tables of a run",
        add=_add_report,
        example="suite report reports/latest --page",
        section=RESULTS,
        rank=4,
    ),
)
