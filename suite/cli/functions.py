"""The commands of plain functions: ``suite pytest`` in a quiet process, and ``suite time A.py:F B.py:G``."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from suite.bench.exit_code import told_code
from suite.bench.functions.answers import check_tolerance
from suite.bench.functions.comparing import SECONDS, check_seconds
from suite.bench.functions.result import check_bound
from suite.bench.options import ENDED
from suite.cli.command import CODE, Command
from suite.core.composition import BASELINE
from suite.core.exit_codes import EXIT_UNUSABLE
from suite.core.machine import child, quiet

PROCESS = "suite.bench.functions.process"


def _add_pytest(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Run pytest on your own tests in a quiet process on a core of its own, so that the fixture tradeoff can check "
        "and record. All arguments go to pytest."
    )
    _add_machine(parser)
    parser.set_defaults(run=_pytest)


def _add_machine(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--threads", type=int, default=1, help="threads that compute (default 1, on a core of its own)")
    parser.add_argument("--device", default="cpu", help="cpu, or an accelerator, for which nothing is pinned")


def _pytest(parsed: argparse.Namespace, rest: Sequence[str]) -> int:
    return _quietly(parsed, ["suite.bench.workers.pytest_process", *rest])


def _add_time(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Time two functions without arguments in turns, the first one as the baseline, and compare what they return. "
        "Exit code 1 if --at-least does not hold, 10 if nothing is decided."
    )
    option = parser.add_argument
    option(BASELINE, help="a function, as in old.py:norm")
    option("candidate", help="another one, as in new.py:norm")
    option("--at-least", type=float, metavar="X", help="the speed-up that is wanted")
    option("--close", type=float, metavar="TOLERANCE", help="fail if outputs differ by more, relative to the largest")
    option("--seconds", type=float, default=SECONDS, help="seconds of timing (default 2)")
    option(
        "--count", action="store_true", help="count instructions under valgrind instead, of which X times fewer pass"
    )
    option(
        "--speed-only", action="store_true", help="decide on the speed of functions whose outputs cannot be read, too"
    )
    _add_machine(parser)
    parser.set_defaults(run=_time)


def _time(parsed: argparse.Namespace, _: Sequence[str]) -> int:
    check_seconds(parsed.seconds, "--seconds ")
    if parsed.at_least is not None:
        check_bound(parsed.at_least, "--at-least")
    if parsed.close is not None:
        check_tolerance(parsed.close, "--close")
    wanted = [
        text
        for name, value in (("--at-least", parsed.at_least), ("--close", parsed.close))
        if value is not None
        for text in (name, str(value))
    ]
    wanted += ["--count"] if parsed.count else []
    wanted += ["--speed-only"] if parsed.speed_only else []
    asked = [parsed.baseline, parsed.candidate, "--seconds", str(parsed.seconds), *wanted]
    return _quietly(parsed, [PROCESS, *asked])


def _quietly(parsed: argparse.Namespace, module: Sequence[str]) -> int:
    accelerator = child.on_accelerator(parsed.device)
    environment = quiet.environment(os.environ, threads=parsed.threads, accelerator=accelerator)
    with tempfile.TemporaryDirectory(prefix="suite-") as folder:
        ended = Path(folder) / "ended"
        code = child.run_to_end([sys.executable, "-P", "-m", *module], environment | {ENDED: str(ended)})
        if code != told_code(ended):
            how = child.ending(code)
            print(f"suite: nothing was decided: the user's code ended the process {how}", file=sys.stderr)
            return EXIT_UNUSABLE
    return code


COMMANDS = (
    Command(
        name="pytest", help="run your own tests in a quiet process, for the fixture tradeoff", add=_add_pytest,
        example="suite pytest tests/test_speed.py", section=CODE, rank=26, passes_on=True, abbreviates=False,
    ),
    Command(
        name="time", help="time two functions in turns, and compare what they return", add=_add_time,
        example="suite time old.py:norm new.py:norm --at-least 1.05", section=CODE, rank=27,
    ),
)  # fmt: skip
