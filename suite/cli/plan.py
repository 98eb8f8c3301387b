"""The commands `suite plan` and `suite roi`: their options, and what they print and write."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from suite.cli.command import RESULTS, Command, chosen_prices
from suite.core.errors import UsageError
from suite.core.exit_codes import EXIT_FAILED, EXIT_PASS

if TYPE_CHECKING:
    from suite.analysis.plan.cells import Cells

PLAIN_WIDTH = 120  # characters, where the output is no terminal


def add_plan(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `suite plan`."""
    parser.description = (
        "The composition with the best score among a run's measured cells within all budgets; exit code 1 if none fits."
    )
    _add_source(parser)
    add = parser.add_argument
    add("--budget", action="append", default=[], metavar="METRIC=QUANTITY", help="at most, like bytes=100kB")
    add("--at-least", action="append", default=[], metavar="METRIC=QUANTITY", help="at least, like speedup=1.5")
    parser.set_defaults(run=_plan)


def add_roi(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `suite roi`."""
    parser.description = "What each technique gains, saves and pays back against the baseline, with intervals."
    _add_source(parser)
    parser.add_argument("--prices", type=Path, help="a file of prices, see --example (default: the setting prices)")
    parser.add_argument("--example", action="store_true", help="print a commented prices.toml and stop")
    parser.set_defaults(run=_roi)


def _add_source(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("results", type=Path, nargs="?", help="a results folder or its results.csv (default: the latest run)")
    add("--reports-dir", type=Path, default=Path("reports"))
    add("--workload", action="append", default=[], help="this workload only (repeatable)")
    add("--score", help="rank by this metric instead of the primary score")
    add("--json", type=Path, metavar="FILE", help="write the answers to a file for machines too")


def _plan(parsed: argparse.Namespace, _: Sequence[str]) -> int:
    """Print one answer for each workload; what fits nothing makes the exit code 1."""
    from suite.analysis.plan.budgets import parse_budgets
    from suite.analysis.plan.choose import best_under, unscored
    from suite.analysis.plan.render_text import text
    from suite.analysis.plan.to_json import plain

    cells = _cells(parsed)
    budgets = parse_budgets(parsed.budget, parsed.at_least, known=cells.known())
    answers = best_under(cells, budgets)
    silent = [f"{workload} on {device} has no score; name one with --score" for workload, device in unscored(cells)]
    _say("\n\n".join([text(answers, _width(), cells.header), *silent]), parsed.json, plain(answers, cells.header))
    return EXIT_PASS if all(answer.winner for answer in answers) else EXIT_FAILED


def _roi(parsed: argparse.Namespace, _: Sequence[str]) -> int:
    """Print what each technique returns; ``--example`` prints a file of prices instead."""
    from suite.analysis.plan.render_returns import plain, text
    from suite.analysis.plan.returns import returns
    from suite.core.prices import EXAMPLE, Prices

    if parsed.example:
        sys.stdout.write(EXAMPLE)
        return EXIT_PASS
    cells = _cells(parsed)
    where = None if cells.header is None else cells.header.where
    known = chosen_prices(parsed.prices) or Prices()
    prices = known.at(None) if where is None else known.at(where.machine, where.family)
    found = returns(cells, prices)
    _say(text(found, prices, _width()), parsed.json, plain(found, prices))
    return EXIT_PASS


def _cells(parsed: argparse.Namespace) -> Cells:
    from suite.analysis.plan.source import cells
    from suite.report.results.folder import latest

    found = cells(parsed.results or latest(parsed.reports_dir), score=parsed.score).only(parsed.workload)
    if found.problem:
        sys.stderr.write(f"suite: {found.problem}; the answer knows only these\n")
    return found


def _say(text: str, path: Path | None, data: dict[str, Any]) -> None:
    sys.stdout.write(f"{text}\n")
    if path is None:
        return
    try:
        path.write_text(json.dumps(data, indent=2, allow_nan=False) + "\n", "utf-8")
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}; give --json a file that can be written") from error


def _width() -> int:
    return shutil.get_terminal_size((PLAIN_WIDTH, 24)).columns


COMMANDS = (
    Command(
        name="plan",
        help="the best measured cell within budgets",
        add=add_plan,
        example="suite plan --budget bytes=300kB --at-least speedup=1.5",
        section=RESULTS,
        rank=5,
    ),
    Command(
        name="roi",
        help="the return on investment of each technique",
        add=add_roi,
        example="suite roi reports/latest --prices prices.toml",
        section=RESULTS,
        rank=7,
    ),
)
