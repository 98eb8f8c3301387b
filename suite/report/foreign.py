"""Text from elsewhere (names, commands, reasons, another machine's records) for terminal, Markdown and step summary.

A results folder or an exception may hold escape sequences, line ends, HTML or backticks. Whoever reads a report shall
see them as text.
"""

from __future__ import annotations

import re
import unicodedata

FORMATS = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})  # control, format (bidirectional overrides), line separators
SPACES = re.compile(r"\s+")


def printable(text: str) -> str:
    r"""One line for a terminal: white space is a space, other control and format characters are escapes (``\x1b``)."""
    if text.isascii() and text.isprintable() and "  " not in text:
        return text  # nearly every text: nothing to search for
    line = SPACES.sub(" ", text)
    if line.isascii() and line.isprintable():
        return line
    return "".join(_shown(character) for character in line)


def inline(text: str) -> str:
    """One line of Markdown in which nothing is HTML or code."""
    return printable(text).replace("<", "&lt;").replace("`", "\\`")


def code(text: str) -> str:
    """One line as a code span, in as many backticks as it needs (CommonMark 6.1)."""
    line = printable(text)
    ticks = "`" * (1 + max((len(run) for run in re.findall("`+", line)), default=0))
    padding = " " if len(ticks) > 1 else ""
    return f"{ticks}{padding}{line}{padding}{ticks}"


def fence(lines: list[str], language: str = "") -> str:
    """A fenced block of lines that none of them can end."""
    shown = [printable(line) for line in lines]
    ticks = "`" * max(3, 1 + max((len(run) for line in shown for run in re.findall("`+", line)), default=0))
    return "\n".join([f"{ticks}{language}", *shown, ticks])


def _shown(character: str) -> str:
    if unicodedata.category(character) not in FORMATS:
        return character
    return character.encode("unicode_escape").decode("ascii")
