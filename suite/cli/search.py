"""The command line of `suite search`; the search itself runs in a quiet process."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Sequence

from suite.analysis.search.options import SearchOptions
from suite.bench.options import COMMAND
from suite.cli.command import INVESTIGATE, Command
from suite.core.machine import child, quiet
from suite.core.transport import to_line


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `suite search`."""
    parser.description = (
        "Find the best composition of techniques within budgets by measuring compositions on validation items; the "
        "winner is measured again on the test items. Exit code 1 if nothing keeps all bounds."
    )
    add = parser.add_argument
    add("--workload", required=True)
    for name, about in (("minimise", "make this small, like latency"), ("maximise", "make this large, like speedup")):
        add(f"--{name}", action="append", default=[], metavar="METRIC", help=f"{about} (repeatable)")
    add("--budget", action="append", default=[], metavar="METRIC=QUANTITY", help="at most, like bytes=100kB")
    add("--keep", action="append", default=[], metavar="METRIC>=QUANTITY", help="at least, like 'accuracy>=0.985'")
    add("--technique", action="append", default=[], help="search among these (repeatable; default: all that run)")
    add("--most", type=int, default=SearchOptions.most, help="techniques in a composition (default: %(default)s)")
    add("--trials", type=int, default=SearchOptions.trials, help="of the storage in all (default: %(default)s)")
    add("--minutes", type=float, help="end within about so many, with the trial under way and the final measurement")
    add("--storage", help="a file, or a database's URL, to continue from and to share (default: in the run's folder)")
    add("--seed", type=int, default=SearchOptions.seed)
    add("--device", default=SearchOptions.device, help="auto, cpu, gpu, cuda, cuda:1, xpu, mps")
    add("--finalists", type=int, help="winners measured on the test (default: 1; of several objectives 3)")
    add(
        "--final-seeds",
        type=int,
        default=SearchOptions.final_seeds,
        help="trainings of each of them (default: %(default)s)",
    )
    add("--threads", type=int, default=1, help="threads of CPU work (default 1, pinned to one core)")
    add("--reports-dir", default=SearchOptions.reports_dir)
    add("--load", action="append", default=[], help="module or .py file to load (repeatable)")
    parser.set_defaults(run=_search)


def _search(parsed: argparse.Namespace, _: Sequence[str]) -> int:
    options = SearchOptions.of(vars(parsed))
    accelerator = child.on_accelerator(parsed.device)
    environment = quiet.environment(os.environ, threads=parsed.threads, accelerator=accelerator)
    environment[COMMAND] = shlex.join(["suite", *sys.argv[1:]])
    return child.run_to_end([sys.executable, "-P", "-m", "suite.analysis.search", to_line(options)], environment)


COMMANDS = (
    Command(
        name="search",
        help="find the best composition within budgets",
        add=add,
        example="suite search --workload digits_cnn --maximise speedup --keep 'accuracy>=0.985'",
        section=INVESTIGATE,
        rank=6,
        abbreviates=False,
    ),
)
