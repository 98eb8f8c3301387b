"""The options of ``suite bench``, each declared once.

The command line, the pytest plugin, the command that a report prints and the reference in the documentation read this
table. A new option is one entry; a run finds its value in ``Options.given``.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, get_args

from suite.bench import edge_profile
from suite.bench.options import Expect
from suite.bench.shard import Shard
from suite.core.records import TIERS
from suite.gate.policy import Policy

PREFIX = "suite"
"""What pytest's options begin with, so that a project's own do not clash."""
EXPECT, POLICIES = get_args(Expect), get_args(Policy)
Place = Literal["both", "command line", "pytest"]


@dataclass(frozen=True, kw_only=True)
class BenchOption:
    """One option: ``--name`` of ``suite bench`` and ``--suite-name`` of pytest.

    ``place`` says who knows it: options of the process itself never reach pytest. ``comparable`` says that the command
    which measures a cell again repeats it, if it is not the default.
    """

    name: str
    help: str
    kind: Callable[[str], Any] = str
    default: Any = None
    choices: tuple[str, ...] = ()
    repeatable: bool = False
    switch: bool = False
    metavar: str | None = None
    place: Place = "both"
    comparable: bool = False

    @property
    def key(self) -> str:
        """The name as a Python attribute."""
        return self.name.replace("-", "_")

    @property
    def initial(self) -> Any:
        """Its value where nobody gives one; a list of its own for a repeatable option."""
        if self.switch:
            return False
        return [] if self.repeatable else self.default

    def keywords(self) -> dict[str, Any]:
        """Arguments of argparse's ``add_argument`` and pytest's ``addoption``."""
        if self.switch:
            return {"action": "store_true", "default": False, "help": self.help}
        found: dict[str, Any] = {"default": self.initial, "help": self.help, "type": self.kind}
        found |= {"choices": self.choices} if self.choices else {}
        found |= {"action": "append"} if self.repeatable else {}
        found |= {"metavar": self.metavar} if self.metavar else {}
        return found

    def arguments(self, value: Any) -> list[str]:
        """The arguments of a command line that give ``value``; none for the default."""
        if value == self.initial or value is None:
            return []
        if self.switch:
            return [f"--{self.name}"]
        return [part for one in (value if self.repeatable else [value]) for part in (f"--{self.name}", str(one))]

    def of_pytest(self, value: Any) -> list[str]:
        """The same for pytest: one argument each, since a value may begin with a dash."""
        parts = self.arguments(value)
        if self.switch:
            return [f"--{PREFIX}-{self.name}" for _ in parts]
        return [f"--{PREFIX}-{self.name}={one}" for one in parts[1::2]]


PRICES_HELP = "a file of prices: adds what a training and a million items cost (default: the setting prices)"
"""Of `suite report` as well."""

OPTIONS = (
    BenchOption(name="device", default="auto", help="auto, cpu, gpu (any accelerator), cuda, cuda:1, xpu, mps"),
    BenchOption(
        name="precision", default="fp32", help="serve every technique in this precision: fp32, bf16, fp16, ..."
    ),
    BenchOption(name="workload", repeatable=True, help="this workload only (repeatable)"),
    BenchOption(name="technique", repeatable=True, help="this composition only (repeatable)"),
    BenchOption(
        name="seeds",
        kind=int,
        help="seeds of quality (default 5 to record and with --full, else 3 of the baseline and 1 of the rest)",
    ),
    BenchOption(name="processes", kind=int, help="processes that replicate a timing (default 5 to record, else 1)"),
    BenchOption(name="expect", choices=EXPECT, default="gate", help="what to do with stored expectations"),
    BenchOption(
        name="expect-dir",
        comparable=True,
        kind=Path,
        help="your expectation files (default: the nearest folder expectations, upwards)",
    ),
    BenchOption(name="unverified", choices=POLICIES, default="report", help="whether metrics without expectation fail"),
    BenchOption(
        name="inconclusive",
        choices=POLICIES,
        help="whether inconclusive timings fail (default: only if they are many)",
    ),
    BenchOption(name="unavailable", choices=POLICIES, default="report", help="whether cells that cannot run here fail"),
    BenchOption(name="allow-improvement", switch=True, help="metrics beyond their favourable bound do not fail"),
    BenchOption(name="partial", switch=True, help="gate only the tests that -k or -m select"),
    BenchOption(
        name="gate-tier", comparable=True, repeatable=True, choices=TIERS, help="only this tier can fail (repeatable)"
    ),
    BenchOption(
        name="reports-dir", comparable=True, kind=Path, default=Path("reports"), help="where results are written"
    ),
    BenchOption(name="load", comparable=True, repeatable=True, help="module or .py file to load (repeatable)"),
    BenchOption(
        name="shard",
        kind=Shard.parse,
        metavar="N/COUNT",
        help="one part of the run's cells, such as 3/16; see suite merge",
    ),
    BenchOption(
        name="durations",
        kind=Path,
        metavar="RUN",
        help="earlier run by whose durations shards are balanced; the same for all",
    ),
    BenchOption(name="resume", kind=Path, help="results folder of an interrupted run to continue"),
    BenchOption(
        name="max-minutes",
        kind=float,
        help="leave out cells that would not fit into so many minutes; the run is then partial",
    ),
    BenchOption(name="reuse", switch=True, help="reuse trainings of earlier runs if nothing has changed"),
    BenchOption(name="cache-dir", kind=Path, help="folder of kept trainings (default: reports/cache)"),
    BenchOption(name="history", switch=True, help="add the metrics to this machine's history, below the reports"),
    BenchOption(
        name="prices",
        kind=Path,
        metavar="FILE",
        help=PRICES_HELP,
    ),
    BenchOption(
        name="quick",
        comparable=True,
        switch=True,
        help="one seed for each technique, short timings, no fresh processes (--seeds and --processes are kept)",
    ),
    BenchOption(
        name="count", switch=True, comparable=True, help="count work, too: operators, allocations, graphs, kernels"
    ),
    BenchOption(
        name="instructions",
        switch=True,
        comparable=True,
        help="count work and, under valgrind, instructions: about a minute a cell of a CPU",
    ),
    BenchOption(name="slow", switch=True, help="also run techniques that train many times as long as their control"),
    BenchOption(name="full", switch=True, help="every technique's sweep, and the combinations"),
    BenchOption(name="sweep", switch=True, help="the whole sweep of each technique that runs, in any profile"),
    BenchOption(name="combinations", switch=True, help="pairs and triples instead of each technique alone"),
    BenchOption(
        name="edge",
        switch=True,
        place="command line",
        help="emulate a small device: CPU, one thread, one item at a time, little memory",
    ),
    BenchOption(
        name="memory",
        metavar="BYTES",
        place="command line",
        help=f"memory cap of serving with --edge (default {edge_profile.DEFAULT_CAP})",
    ),
    BenchOption(
        name="edge",
        metavar="MEMORY",
        place="pytest",
        help="serve one item at a time, in no more memory than that: 256MB",
    ),
    BenchOption(name="wait", switch=True, place="command line", help="wait for a core that no other run uses"),
    BenchOption(
        name="threads",
        kind=int,
        default=1,
        place="command line",
        help="threads of CPU work (default 1, pinned to one core)",
    ),
)


def on_command_line() -> Iterator[BenchOption]:
    """Those of ``suite bench``."""
    return (option for option in OPTIONS if option.place != "pytest")


def in_pytest() -> Iterator[BenchOption]:
    """Those of the pytest plugin."""
    return (option for option in OPTIONS if option.place != "command line")


def values(namespace: object, prefix: str = "") -> Mapping[str, Any]:
    """The value of each option by its key, as argparse (or pytest, with its prefix) parsed them."""
    options = in_pytest() if prefix else on_command_line()
    keys = ((option.key, f"{prefix}_{option.key}" if prefix else option.key) for option in options)
    return MappingProxyType({key: getattr(namespace, attribute) for key, attribute in keys})


def add_to_command_line(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``suite bench``."""
    for option in on_command_line():
        parser.add_argument(f"--{option.name}", **option.keywords())


def forwarded(given: Mapping[str, Any]) -> list[str]:
    """What pytest is told of the options of a command line; the edge profile is its cap of memory there."""
    known = {**given, "edge": given.get("memory")}
    return [argument for option in in_pytest() for argument in option.of_pytest(known[option.key])]
