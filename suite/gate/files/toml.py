"""The TOML of an expectation file; what breaks it is named with its line and what to write instead."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Any

from suite.core.errors import ExpectationFileError

if TYPE_CHECKING:
    from pathlib import Path

CONFLICT = "holds the markers of an unfinished merge (<<<<<<<, =======, >>>>>>>); keep one side and remove them"


def toml(text: str, path: Path) -> dict[str, Any]:
    """The tables of a file's ``text``. Raises `ExpectationFileError` with the line where it is no TOML."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message = str(error)
        at = re.search(r" \(at line (\d+), column \d+\)$", message)
        line = int(at[1]) if at else text.rstrip().count("\n") + 1  # else: at end of document
        marker = _merge_marker(text)
        if marker:
            raise ExpectationFileError(path, marker, CONFLICT) from error
        given = text.split("\n")[line - 1]
        comma = re.match(r"\s*(\w+)\s*=\s*(-?\d+),(\d+)\s*(#.*)?$", given)
        hint = f"write {comma[1]} = {comma[2]}.{comma[3]}" if comma else "correct or remove that line"
        raise ExpectationFileError(path, line, f"is not valid TOML: {message}; {hint}") from error


def _merge_marker(text: str) -> int | None:
    """The first line (from 1) of a merge that git left unfinished."""
    lines = text.split("\n")
    return next((k for k, line in enumerate(lines, 1) if re.match(r"(<{7}|\|{7}|>{7})( |$)|={7}$", line)), None)
