"""``python -P -m suite.bench.functions.process OLD.py:F NEW.py:G``: two functions timed in this quiet process.

With ``--count`` their work is counted instead: in this process what torch dispatches, under valgrind the instructions.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any, NoReturn

from suite.bench.exit_code import tell
from suite.bench.explain import place
from suite.bench.functions.anew import FirstAnswers
from suite.bench.functions.answers import AnswersApart, apart
from suite.bench.functions.comparing import CANDIDATE, compare
from suite.bench.functions.instructions import InstructionRatio, counted
from suite.bench.functions.loading import function
from suite.bench.functions.result import FunctionTradeoff, SpeedRatio
from suite.bench.integrity import check_suite, remember_constants
from suite.bench.options import ENDED
from suite.core.command_line import printable_streams
from suite.core.composition import BASELINE
from suite.core.errors import SuiteError, UsageError
from suite.core.exit_codes import EXIT_FAILED, EXIT_INCONCLUSIVE, EXIT_INTERRUPTED, EXIT_PASS, EXIT_UNUSABLE
from suite.core.machine import child, quiet

DECIDING = ("suite.bench.functions.process", "suite.measure.sampler.timing")  # and all that they import
NOT_ENTERED = "(it is called without arguments)"


def code(
    outputs: AnswersApart, ratio: SpeedRatio | InstructionRatio, *, at_least: float | None, close: float | None
) -> tuple[int, list[str]]:
    """The exit code and what it is for."""
    failed: list[str] = []
    open_: list[str] = []
    if close is not None and not outputs.close(close):
        failed.append(f"{outputs}, at most {close:g} wanted")
    if at_least is not None:
        decision = ratio.at_least(at_least)
        if not decision:
            (open_ if decision.is_open else failed).append(decision.figure)
    if failed:
        return EXIT_FAILED, failed
    return (EXIT_INCONCLUSIVE if open_ else EXIT_PASS), open_


def main(arguments: Sequence[str]) -> int:
    """Time, print, decide."""
    parser = argparse.ArgumentParser()
    parser.add_argument(BASELINE)
    parser.add_argument("candidate")
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--at-least", type=float)
    parser.add_argument("--close", type=float)
    parser.add_argument("--count", action="store_true")
    parser.add_argument("--speed-only", action="store_true")
    asked = parser.parse_args(arguments)
    try:
        remember_constants(DECIDING)
        outputs, ratio, told = (_counted if asked.count else _timed)(asked)
        check_suite()  # a user's file may have replaced what measures, or what decides
    except SuiteError as error:
        print(f"suite: {error}", file=sys.stderr)
        return EXIT_UNUSABLE
    except (Exception, SystemExit) as error:  # noqa: BLE001  # a user's functions may raise anything
        print(f"suite: {_raised(error)}", file=sys.stderr)
        return EXIT_UNUSABLE
    print(told)
    found, lines = code(outputs, ratio, at_least=asked.at_least, close=asked.close)
    for line in lines:
        print(line)
    return found


def _timed(asked: argparse.Namespace) -> tuple[AnswersApart, SpeedRatio, str]:
    """Outputs, the speed-up and what is printed."""
    quiet.pin()
    functions = {BASELINE: function(asked.baseline), CANDIDATE: function(asked.candidate)}
    check_suite()
    result = compare(
        baseline=functions[BASELINE], candidate=functions[CANDIDATE], seconds=asked.seconds, speed_only=asked.speed_only
    )
    return result.outputs, result.speedup, _told(result)


def _counted(asked: argparse.Namespace) -> tuple[AnswersApart, InstructionRatio, str]:
    """Outputs, both counts of instructions and what is printed."""
    functions = {BASELINE: function(asked.baseline), CANDIDATE: function(asked.candidate)}
    first = FirstAnswers.of(functions, speed_only=asked.speed_only).held
    outputs = apart(first[BASELINE], first[CANDIDATE])
    ratio = counted(asked.baseline, asked.candidate)
    return outputs, ratio, "\n".join([*_structure(functions), f"{ratio}; {outputs}"])


def _structure(functions: dict[str, Callable[[], Any]]) -> Iterator[str]:
    """What torch dispatches, if it does; functions without it have instructions alone."""
    if "torch" in sys.modules:
        from suite.bench.functions.counting import count

        with suppress(UsageError):
            yield str(count(baseline=functions[BASELINE], candidate=functions[CANDIDATE]).work)


def _raised(error: BaseException) -> str:
    """What a function or its file raised, and at which line of the user's."""
    if isinstance(error, SyntaxError):
        return f"{type(error).__name__}: {error.msg} at {error.filename}:{error.lineno}"
    where = place(error, NOT_ENTERED)
    if where != NOT_ENTERED:
        return f"{type(error).__name__}: {error} at {where}"
    hint = f" {NOT_ENTERED}" if isinstance(error, TypeError) else ""  # one that takes arguments has no line yet
    return f"{type(error).__name__}: {error}{hint}"


def _told(result: FunctionTradeoff) -> str:
    doubt = f"\nsuspect: {result.speedup.suspect}" if result.speedup.suspect else ""
    return f"{result}; the baseline against its own copy {result.speedup.null:.4g}{doubt}"


def run(arguments: Sequence[str]) -> NoReturn:
    """The whole process: what it ends with is also handed over in the parent's file, which users' code is not shown."""
    printable_streams()
    child.interrupt_on_termination()
    told = os.environ.pop(ENDED, None)
    try:
        ended = main(arguments)
    except KeyboardInterrupt:
        ended = EXIT_INTERRUPTED
    if told is not None:
        os.environ[ENDED] = told
    tell(code=ended)
    sys.exit(ended)


if __name__ == "__main__":  # as a module under its own name, so that `check_suite` sees what decides
    importlib.import_module("suite.bench.functions.process").run(sys.argv[1:])
