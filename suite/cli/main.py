"""The ``suite`` command: what is measured, stored and reported, and what follows from it."""

from __future__ import annotations

import argparse
import errno
import importlib
import os
import pkgutil
import sys
from collections.abc import Iterator, Sequence

from suite import __version__, cli
from suite.cli.command import SECTIONS, Command, add_command
from suite.core.command_line import Parser, printable_streams, refuse_unknown
from suite.core.errors import SuiteError
from suite.core.exit_codes import EXIT_PASS, EXIT_UNUSABLE

FIRST = {
    "suite init": "write a first workload and a CI workflow into this repository",
    "suite bench --quick": "measure techniques and check them, in minutes",
    "suite report": "show the tables of the latest run again",
    "suite compare origin/main": "compare this code with another version",
    "suite doctor": "show what this machine has and lacks",
}
"""The commands to begin with, as ``suite`` alone shows them."""
STARTERS = ("launch", "main", "reference")  # modules beside this one that start, or print, the command line


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code and prints errors as one message."""
    printable_streams()
    if not (sys.argv[1:] if arguments is None else arguments):
        return _first_commands()
    parser = build_parser()
    try:
        parsed, rest = parser.parse_known_args(arguments)
        if rest and not parsed.passes_on:
            refuse_unknown(_parser_of(parser, parsed.command), rest)
        return int(parsed.run(parsed, rest))
    except SuiteError as error:
        print(f"suite: {error}", file=sys.stderr)
        return EXIT_UNUSABLE
    except BrokenPipeError:  # `suite list | head`: the reader has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is still buffered has nowhere to go
        return EXIT_PASS
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        print(f"suite: {error.filename or 'a file'} cannot be written: {error.strerror}", file=sys.stderr)
        return EXIT_UNUSABLE


def _first_commands() -> int:
    """Show the commands to begin with. No command is no pass: a script may have lost its arguments."""
    width = max(map(len, FIRST))
    print("Commands to begin with:\n")
    for command, about in FIRST.items():
        print(f"  {command:<{width}}  {about}")
    print("\n`suite --help` lists all commands, `suite COMMAND --help` the options of one.")
    return EXIT_UNUSABLE


def _parser_of(parser: Parser, command: str) -> Parser:
    choices = next(action.choices for action in parser._actions if action.dest == "command")  # noqa: SLF001
    found = dict(choices or {})[command]
    assert isinstance(found, Parser)  # noqa: S101  # subparsers are of their parent's class
    return found


class _MainParser(Parser):
    """The parser of ``suite`` itself, whose help lists the commands by section."""

    def help_body(self) -> str:
        formatter = self._get_formatter()
        formatter.add_usage(self.usage, self._actions, self._mutually_exclusive_groups)
        formatter.add_text(self.description)
        every = next(action for action in self._actions if isinstance(action, argparse._SubParsersAction))  # noqa: SLF001
        shown = {action.dest: action for action in every._get_subactions()}  # noqa: SLF001
        for section in SECTIONS:
            formatter.start_section(section)
            formatter.add_arguments(shown[command.name] for command in commands() if command.section == section)
            formatter.end_section()
        formatter.start_section("options")
        formatter.add_arguments(action for action in self._actions if action.option_strings)
        formatter.end_section()
        return formatter.format_help()


def build_parser() -> Parser:
    """The parser of all commands."""
    parser = _MainParser(
        prog="suite", usage="suite COMMAND [options]", description=__doc__, allow_abbrev=False,
        example="suite bench --help",
    )  # fmt: skip
    parser.add_argument("--version", action="version", version=__version__)
    parsers = parser.add_subparsers(dest="command", required=True, prog="suite", parser_class=Parser)
    for command in commands():
        add_command(parsers, command)
    return parser


def commands() -> list[Command]:
    """What the files of this folder declare, in the order of ``suite --help``."""
    return sorted(_declared(), key=lambda command: (command.rank, command.name))


def _declared() -> Iterator[Command]:
    for module in pkgutil.iter_modules(cli.__path__):
        if module.name not in STARTERS:
            yield from getattr(importlib.import_module(f"suite.cli.{module.name}"), "COMMANDS", ())
