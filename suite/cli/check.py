"""``suite check``: finished runs judged by the expectations that are stored now."""

from __future__ import annotations

import argparse
import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from suite.cli.command import MEASURE, Command, load_everything
from suite.core.exit_codes import EXIT_PASS, worst
from suite.core.garbage import uncollected

if TYPE_CHECKING:
    from suite.bench.options import Options
    from suite.bench.rejudging import RejudgedRun
    from suite.core.records import VerdictKind

COLUMNS = (
    *("machine", "run", "workload", "technique", "device", "ranks", "metric", "verdict", "code"),
    *("value", "low", "high", "reason"),
)
MOST_RUNS = 20  # that are listed: a fleet has a thousand
MOST_VERDICTS = 3  # that are listed of a run
OF_BENCH = ("unverified", "inconclusive", "unavailable", "allow-improvement", "gate-tier")
"""Options of `suite bench` that decide which verdicts fail."""


def _add_check(parser: argparse.ArgumentParser) -> None:
    from suite.bench.option_table import OPTIONS

    parser.description = (
        "Judge finished runs by the expectations of the machine of each, as they are stored now, with the exit codes "
        "of suite bench. Nothing is measured, and no results folder is changed."
    )
    parser.add_argument("folders", type=Path, nargs="+", metavar="FOLDER", help="results folder, or a folder of them")
    parser.add_argument("--expect-dir", type=Path, help="your expectation files (default: as suite bench)")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write each verdict that is no pass to a CSV file")
    parser.add_argument("--load", action="append", default=[], help="module or .py file to load (repeatable)")
    for option in OPTIONS:
        if option.name in OF_BENCH:
            parser.add_argument(f"--{option.name}", **option.keywords())
    parser.set_defaults(run=_check)


def _check(parsed: argparse.Namespace, _: Sequence[str]) -> int:
    from suite.bench.rejudging import Judge, rejudged, run_folders
    from suite.bench.sieving import Sieve
    from suite.gate import Store
    from suite.registry.settings import found_expect_dir, shipped_expectations

    paths = run_folders(parsed.folders)
    load_everything(parsed.load)
    store, options = Store([parsed.expect_dir or found_expect_dir(), shipped_expectations()]), _options(parsed)
    sieve = Sieve(counts_unexpected=parsed.csv is None and parsed.unverified == "report")
    kinds: Counter[VerdictKind] = Counter()
    codes: Counter[int] = Counter()
    with uncollected(), _table(parsed.csv) as table:
        for run in rejudged(paths, Judge(store=store, sieve=sieve, options=options, today=datetime.now(UTC).date())):
            kinds += run.kinds
            codes[run.code] += 1
            if table is not None:
                table.writerows(_rows(run))
            if run.code != EXIT_PASS and codes.total() - codes[EXIT_PASS] <= MOST_RUNS:
                print("\n".join(_lines(run, options)))
    print("\n".join(_summary(kinds, codes)))
    return worst(codes)


def _options(parsed: argparse.Namespace) -> Options:
    from suite.bench.options import Options
    from suite.core.records import TIERS

    return Options(
        unverified=parsed.unverified, inconclusive=parsed.inconclusive, unavailable=parsed.unavailable,
        allow_improvement=parsed.allow_improvement, gate_tiers=tuple(parsed.gate_tier) or TIERS,
    )  # fmt: skip


@contextmanager
def _table(path: Path | None) -> Iterator[Any]:
    """A CSV writer whose file has its heads; ``None`` without a path."""
    if path is None:
        yield None
        return
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        yield writer


def _rows(run: RejudgedRun) -> Iterator[tuple[object, ...]]:
    machine, name = run.folder.header.where.machine, run.folder.header.run
    for verdict in run.verdicts:
        if verdict.kind != "pass":
            cell, measured = verdict.cell, verdict.measurement
            values = ("", "", "") if measured is None else (measured.value, measured.low, measured.high)
            named = (cell.workload, cell.technique, cell.device, cell.ranks, verdict.metric, verdict.kind, verdict.code)
            yield machine, name, *named, *values, verdict.reason


def _lines(run: RejudgedRun, options: Options) -> Iterator[str]:
    """Why a run is no pass, in a few lines."""
    from suite.bench.rejudging import failures_of

    failed = list(failures_of(run, options))
    yield f"{run.folder.path} ({run.folder.header.where.machine}): exit code {run.code}"
    if run.problem:
        yield f"  {run.problem}"
    for verdict in islice(failed, MOST_VERDICTS):
        yield f"  {verdict.kind.upper()} {verdict.cell} {verdict.metric or verdict.group}: {verdict.reason}"
    if len(failed) > MOST_VERDICTS:
        yield f"  and {len(failed) - MOST_VERDICTS} more"


def _summary(kinds: Counter[VerdictKind], codes: Counter[int]) -> Iterator[str]:
    failed = codes.total() - codes[EXIT_PASS]
    if failed > MOST_RUNS:
        yield f"and {failed - MOST_RUNS} more runs that are no pass; --csv FILE has the verdicts of all"
    yield f"{codes.total()} runs, {failed} of them no pass; {kinds.total()} verdicts:"
    yield "  " + ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())


COMMANDS = (
    Command(
        name="check",
        help="judge finished runs by the stored expectations",
        add=_add_check,
        example="suite check reports/merged --csv verdicts.csv",
        section=MEASURE,
        rank=28,
    ),
)
