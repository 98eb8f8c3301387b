"""``python -P -m suite.bench.functions.process OLD.py:F NEW.py:G``: two functions timed in this quiet process.

With ``--count`` their work is counted instead: in this process what torch dispatches, under valgrind the instructions.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from suite.bench.exit_code import tell
from suite.bench.explain import place
from suite.bench.functions.anew import FirstAnswers
from suite.bench.functions.answers import AnswersApart, apart
from suite.bench.functions.comparing import CANDIDATE, compare
from suite.bench.functions.instructions import InstructionRatio, counted
from suite.bench.functions.result import FunctionTradeoff, SpeedRatio
from suite.core.command_line import printable_streams
from suite.core.composition import BASELINE
from suite.core.errors import SuiteError, UsageError, unknown
from suite.core.exit_codes import EXIT_FAILED, EXIT_INCONCLUSIVE, EXIT_PASS, EXIT_UNUSABLE
from suite.core.machine import child, quiet

NOT_ENTERED = "(it is called without arguments)"


def function(text: str) -> Callable[[], Any]:
    """The function that ``file.py:name`` names. Raises `UsageError` where there is none."""
    file, colon, name = text.rpartition(":")
    path = Path(file).resolve()
    if not colon or not path.is_file():
        raise UsageError(f"{text!r} names no function of a file; write it as old.py:norm")
    module = _loaded(path)
    found = getattr(module, name, None)
    if not callable(found):
        raise unknown(f"function of {file}", name, [key for key, value in vars(module).items() if callable(value)])
    return found  # type: ignore[no-any-return]


def _loaded(path: Path) -> Any:
    """The module of a file, whose folder is on the import path as if it were run."""
    name = f"_timed_{path.stem}_{abs(hash(path))}"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path)
        if spec is None or spec.loader is None:
            raise UsageError(f"{path} is no Python file")
        sys.modules[name] = module = importlib.util.module_from_spec(spec)
        with _beside(path.parent):
            spec.loader.exec_module(module)
    return sys.modules[name]


@contextmanager
def _beside(folder: Path) -> Iterator[None]:
    """What a file imports from its own folder is that file's alone: the other one may have a module of that name."""
    before = set(sys.modules)
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        for name in set(sys.modules) - before:
            file = getattr(sys.modules[name], "__file__", None)
            if file and Path(file).is_relative_to(folder) and not name.startswith("_timed_"):
                del sys.modules[name]
        importlib.invalidate_caches()


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
    asked = parser.parse_args(arguments)
    try:
        outputs, ratio, told = (_counted if asked.count else _timed)(asked)
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
    result = compare(baseline=function(asked.baseline), candidate=function(asked.candidate), seconds=asked.seconds)
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
    """What a function raised, and at which line of the user's; one that takes arguments has no line yet."""
    where = place(error, NOT_ENTERED)
    return f"{type(error).__name__}: {error} {where if where == NOT_ENTERED else f'at {where}'}"


def _told(result: FunctionTradeoff) -> str:
    doubt = f"\nsuspect: {result.speedup.suspect}" if result.speedup.suspect else ""
    return f"{result}; the baseline against its own copy {result.speedup.null:.4g}{doubt}"


if __name__ == "__main__":
    printable_streams()
    child.interrupt_on_termination()
    ended = main(sys.argv[1:])
    tell(code=ended)
    sys.exit(ended)
