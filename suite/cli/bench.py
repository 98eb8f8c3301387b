"""``suite bench``: starts pytest on the suite's own tests, in a quiet process."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from suite.bench import edge_profile
from suite.bench.exit_code import decide
from suite.bench.option_table import add_to_command_line, forwarded, on_command_line, values
from suite.bench.options import COMMAND, ENDED, Options
from suite.bench.request import policies
from suite.cli.command import MEASURE, Command
from suite.core.command_line import refuse_misspelt
from suite.core.errors import UsageError
from suite.core.machine import child, core, quiet
from suite.registry.settings import PACKAGE

PLUGIN = "suite.bench.pytest_plugin.plugin"
PYTEST_VARIABLES = ("PYTEST_ADDOPTS", "PYTEST_PLUGINS", "PYTEST_DISABLE_PLUGIN_AUTOLOAD", "PYTEST_TIMEOUT")


def _add_bench(parser: argparse.ArgumentParser) -> None:
    parser.description = "Measure cells in a quiet process. Further arguments go to pytest."
    add_to_command_line(parser)
    parser.set_defaults(run=_bench)


def _bench(parsed: argparse.Namespace, rest: Sequence[str]) -> int:
    """Start pytest on the suite's own tests, with their own configuration, in a quiet process."""
    refuse_misspelt([f"--{option.name}" for option in on_command_line()] + ["--help"], rest)
    _settle_edge(parsed)
    environment = quiet.environment(os.environ, threads=parsed.threads, accelerator=child.on_accelerator(parsed.device))
    for name in PYTEST_VARIABLES:  # a user's repository must not change what a gate measures
        environment.pop(name, None)
    if parsed.wait:
        environment[core.WAIT] = "1"
    environment[COMMAND] = shlex.join(["suite", *sys.argv[1:]])  # what a person would type again
    command = [sys.executable, "-P", "-m", "suite.bench.workers.pytest_process", *_pytest_arguments(parsed), *rest]
    with tempfile.TemporaryDirectory(prefix="suite-") as folder:
        ended = Path(folder) / "ended"
        code = child.run_to_end(command, environment | {ENDED: str(ended)})
        code, why = decide(code, ended, Options(**policies(values(parsed))), rest)
    if why:
        print(f"suite: {why}", file=sys.stderr)
    return code


def _settle_edge(parsed: argparse.Namespace) -> None:
    """Fill in what ``--edge`` implies. Raises `UsageError` for options that contradict it."""
    if not parsed.edge:
        if parsed.memory is not None:
            raise UsageError(f"--memory {parsed.memory} caps the memory of the edge profile; add --edge")
        return
    if parsed.threads != 1 or parsed.device not in ("auto", "cpu"):
        raise UsageError(
            f"--edge is one thread of a CPU, got --threads {parsed.threads} --device {parsed.device}; leave them out"
        )
    parsed.device = "cpu"
    parsed.memory = edge_profile.DEFAULT_CAP if parsed.memory is None else parsed.memory
    edge_profile.cap(parsed.memory)  # a slip is told before pytest starts


def _pytest_arguments(parsed: argparse.Namespace) -> list[str]:
    config, here = PACKAGE / "bench" / "benchmarks" / "pytest.ini", Path.cwd()
    plugin = ["-p", PLUGIN]  # a checkout that is not installed has no entry point; twice is once for pytest
    own = ["-c", str(config), f"--rootdir={here}", f"--confcutdir={here}", "--pyargs", "suite.bench.benchmarks", "-q"]
    return [*plugin, *own, *forwarded(values(parsed))]


COMMANDS = (
    Command(
        name="bench",
        help="measure cells and check them",
        add=_add_bench,
        example="suite bench --quick --workload digits_cnn --max-minutes 5",
        section=MEASURE,
        rank=2,
        passes_on=True,
        abbreviates=False,
    ),
)
