"""The command `suite serving`; it measures in a quiet process of its own."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from suite.analysis.load_test.batcher import Policy
from suite.analysis.load_test.plan import SHARES, LoadTestPlan, share_of
from suite.cli.command import INVESTIGATE, Command
from suite.core.errors import UsageError
from suite.core.exit_codes import EXIT_PASS
from suite.core.machine import child, quiet
from suite.core.units.quantities import parse_quantity
from suite.registry import REGISTRY
from suite.registry.settings import load_user_modules


def add(parser: argparse.ArgumentParser) -> None:
    """Options of `suite serving`."""
    parser.description = (
        "Latency against throughput of a cell at batches of 1 to 512, paired with the baseline; then a dynamic batcher "
        "under Poisson arrivals in real time, at shares of the capacity that was found."
    )
    option = parser.add_argument
    option("cell", help="a cell as tables print it, like digits_cnn-baseline-cpu")
    option("--max-batch", type=int, default=32, help="requests of a batch at most (default 32)")
    option("--max-wait", default="2ms", help="how long the oldest request waits for others (default 2ms)")
    option("--slo", help="an answer is good within this (default: the wait and three full batches)")
    option(
        "--load-share", action="append", help="share of the capacity: 0.5, 50 or 50%% (repeatable; default 25 to 120)"
    )
    option("--seconds", type=float, default=5.0, help="duration of each load (default 5)")
    option("--largest", type=int, default=512, help="largest batch of the curve (default 512)")
    option("--sampling", type=float, default=2.0, help="seconds of timing for each batch of the curve (default 2)")
    option("--seed", type=int, default=0, help="of the arrivals")
    option("--load", action="append", default=[], help="module or .py file to load (repeatable)")
    option("--out", type=Path, help="folder of the tables (default: a new one below reports)")
    parser.set_defaults(run=_serving)


def _serving(parsed: argparse.Namespace, _: Sequence[str]) -> int:
    """Measure here if this process is quiet, else the same command in one that is.

    This is no request to a worker and needs no record: a person could type the same command in a quiet environment. The
    same parser reads it, so no option can be lost; what comes back is an exit code, and the tables on the screen.
    """
    _plan(parsed)  # a slip is told now
    if quiet.is_quiet(os.environ)[0]:
        return _measure(parsed)
    return child.again_quietly(accelerator=not parsed.cell.endswith("-cpu"))


def _measure(parsed: argparse.Namespace) -> int:
    from suite.analysis.load_test import tables
    from suite.analysis.load_test.run import put_under_load
    from suite.analysis.profile.cells import find_case
    from suite.report.results.folder import run_name

    quiet.pin()
    quiet.apply_threads()
    doubt = quiet.is_quiet(os.environ)[1]  # the core may be shared
    load_user_modules(REGISTRY, Path.cwd(), parsed.load)
    case = find_case(REGISTRY, parsed.cell)
    plan = _plan(parsed)
    found = put_under_load(REGISTRY, case, plan, _tell)
    folder = parsed.out or Path("reports") / f"{run_name(datetime.now(UTC), case.cell.device)}-serving"
    doubts = [f"doubtful: {doubt}"] if doubt else []
    for line in [*tables.lines(found, plan), *doubts, *map(str, tables.write(folder, found))]:
        print(line)  # this is the command line
    return EXIT_PASS


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def _plan(parsed: argparse.Namespace) -> LoadTestPlan:
    if parsed.seconds <= 0 or parsed.sampling <= 0:
        raise UsageError(f"--seconds and --sampling must be above 0, got {parsed.seconds:g} and {parsed.sampling:g}")
    shares = tuple(map(share_of, parsed.load_share or ()))
    return LoadTestPlan(
        policy=Policy(max_batch=parsed.max_batch, max_wait=_seconds(parsed.max_wait, "--max-wait")),
        largest=max(parsed.largest, 1), shares=shares or SHARES, seconds=parsed.seconds,
        sampling=parsed.sampling, seed=parsed.seed,
        objective=None if parsed.slo is None else _seconds(parsed.slo, "--slo"),
    )  # fmt: skip


def _seconds(text: str, option: str) -> float:
    return parse_quantity(text, metric=option, unit="s")


COMMANDS = (
    Command(
        name="serving",
        help="a cell under load: latency, throughput, dynamic batching",
        add=add,
        example="suite serving digits_cnn-baseline-cpu --slo 20ms",
        section=INVESTIGATE,
        rank=19,
    ),
)
