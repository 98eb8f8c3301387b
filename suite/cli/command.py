"""What a file of this folder declares: the commands that it adds to ``suite``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from suite.core.command_line import Parser
from suite.registry import REGISTRY
from suite.registry.settings import load_user_modules, prices_file

if TYPE_CHECKING:
    from suite.core.prices import Prices

MEASURE, RESULTS, CODE = "measure and gate", "read finished runs", "compare code without stored values"
INVESTIGATE, TRUST, SET_UP = "investigate", "check the gate itself", "this machine and installation"
OTHERS = "other commands"
SECTIONS = (MEASURE, RESULTS, CODE, INVESTIGATE, TRUST, SET_UP, OTHERS)
"""The sections of ``suite --help``, in order."""


@dataclass(frozen=True, kw_only=True)
class Command:
    """One command: ``add`` declares its options and sets ``run``, which takes them and returns the exit code.

    ``section`` is where ``suite --help`` lists it, and ``rank`` orders the commands there; what has no rank comes last.
    ``example`` is a command line that its own help ends with. With ``passes_on`` it takes further arguments, for
    pytest. Its options may be abbreviated unless ``abbreviates`` is false.
    """

    name: str
    help: str
    add: Callable[[Parser], None]
    example: str = ""
    section: str = OTHERS
    rank: int = 1000
    passes_on: bool = False
    abbreviates: bool = True


def add_commands(parser: Parser, dest: str, commands: Sequence[Command]) -> None:
    """Give the parser of a command commands of its own; the parsed name is stored as ``dest``."""
    parsers = parser.add_subparsers(dest=dest, required=True)
    for command in commands:
        add_command(parsers, command)


def add_command(parsers: Any, command: Command) -> None:
    """Give ``parsers``, what `argparse.ArgumentParser.add_subparsers` returns, the parser of a command."""
    added = parsers.add_parser(
        command.name, help=command.help, allow_abbrev=command.abbreviates, example=command.example
    )
    added.set_defaults(passes_on=command.passes_on)
    command.add(added)


def chosen_prices(path: Path | None) -> Prices | None:
    """The prices of a file that was named, else of the user's setting; ``None`` without both."""
    from suite.core.prices import read_prices

    found = path or prices_file(Path.cwd())
    return None if found is None else read_prices(found)


def load_everything(modules: Sequence[str] = ()) -> None:
    """Load the user's modules and all workloads of the suite: their scores are names of metrics in files."""
    load_user_modules(REGISTRY, Path.cwd(), list(modules))
    REGISTRY.workloads  # noqa: B018  # asking loads them
