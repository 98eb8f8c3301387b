"""A parser whose errors are the suite's: one sentence with the nearest name, exit code 11."""

from __future__ import annotations

import argparse
import difflib
import io
import os
import re
import sys
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

from suite.core.errors import UsageError, unknown

NEAR = 0.82  # of `difflib`; pytest's own options are further away from ours
PYTESTS = frozenset({"--memray"})  # options of pytest's plugins that look like ours
CHOICE = re.compile(r"argument (\S+): invalid choice: '([^']*)' \(choose from (.*)\)")


class Parser(argparse.ArgumentParser):
    """As `argparse.ArgumentParser`; raises `UsageError` where that ends the process. Its help ends with ``example``."""

    def __init__(self, *arguments: Any, example: str = "", **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.example = example

    def format_help(self) -> str:
        return self.help_body() + (f"\nexample:\n  {self.example}\n" if self.example else "")

    def help_body(self) -> str:
        """The help without its example."""
        return super().format_help()

    def error(self, message: str) -> NoReturn:
        found = CHOICE.match(message)
        if found is not None:
            kind = "command" if found[1] == "command" else f"value of {found[1]}"
            known = [choice.strip(" '") for choice in found[3].split(",")]
            raise unknown(kind, found[2], known)
        raise UsageError(f"{message}; see `{self.prog} --help`")

    def options(self) -> list[str]:
        """All options, as they are typed."""
        return [name for action in self._actions for name in action.option_strings if name.startswith("--")]


def printable_streams() -> None:
    """Let a terminal of another encoding (ASCII) show escapes for what it cannot show, instead of ending the run."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


class _Unread(io.FileIO):
    """A file descriptor whose reader may go away: what follows is written nowhere."""

    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except BrokenPipeError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.fileno())
            os.close(nowhere)
            return len(data)


def outlive_readers() -> None:
    """Let a run go on whose output nobody reads any more (``suite bench | head``): its files and exit code count."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        old = sys.stdout
        old.flush()
        raw = _Unread(old.fileno(), "w", closefd=False)
        sys.stdout = io.TextIOWrapper(
            io.BufferedWriter(raw), encoding=old.encoding, errors=old.errors, line_buffering=old.line_buffering
        )


def refuse_unknown(parser: Parser, arguments: Sequence[str]) -> NoReturn:
    """Raise `UsageError` for arguments that nothing reads, with the nearest option of the command."""
    name = next((one for one in arguments if one.startswith("-")), arguments[0])
    if name.startswith("--"):
        raise unknown(f"option of `{parser.prog}`", name.partition("=")[0], parser.options())
    raise UsageError(f"{name!r} is no argument of `{parser.prog}`; see `{parser.prog} --help`")


def refuse_misspelt(options: Sequence[str], arguments: Iterable[str]) -> None:
    """Raise `UsageError` for an argument on its way to pytest that is one of our ``options`` with a slip."""
    for argument in arguments:
        name = argument.partition("=")[0]
        if argument == "--":
            return
        near = difflib.get_close_matches(name, options, n=1, cutoff=NEAR)
        if name.startswith("--") and near and name not in PYTESTS:
            raise UsageError(f"unknown option {name!r}; did you mean {near[0]}?")
