"""Write a user's claim into a file: the entry that `suite claims init` makes of a sentence's parts."""

from __future__ import annotations

import json
import math
from pathlib import Path

from suite.core import files, metrics
from suite.core.errors import UsageError

ALIAS = "ours"


def entry(name: str, *, statement: str, cell: str, metric: str, at_least: float | None, at_most: float | None) -> str:
    """The TOML table of one claim.

    Raises `UsageError` for an unknown metric, without any limit, and for a text that is empty or holds what cannot be
    printed.
    """
    for what, text in (("name", name), ("statement", statement), ("cell", cell)):
        if not text.strip() or not text.isprintable():
            raise UsageError(f"the {what} of a claim is one line of printable text, got {text!r}")
    return "\n".join(
        [
            f"[{_quoted(name)}]",
            'kind = "empirical"',
            'source = "ours"',
            f"statement = {_quoted(statement)}",
            f"cells = {{ {ALIAS} = {_quoted(cell)} }}",
            f"holds = {_quoted(predicate(metric, at_least, at_most))}",
            'expected = "holds"',
            "",
        ]
    )


def _quoted(text: str) -> str:
    """A TOML string. Its escapes are those of JSON but for pairs of surrogates, so letters stay as they are."""
    return json.dumps(text, ensure_ascii=False)


def predicate(name: str, at_least: float | None, at_most: float | None) -> str:
    """``speedup(ours) >= 2``. Raises `UsageError` as `entry` does."""
    metrics.metric(name)
    for limit in (at_least, at_most):
        if limit is not None and not math.isfinite(limit):
            raise UsageError(f"a limit must be a finite number, got {limit}")
    limits = ((">=", at_least), ("<=", at_most))
    found = [f"{name}({ALIAS}) {sign} {limit!r}" for sign, limit in limits if limit is not None]
    if not found:
        raise UsageError("when does it hold? give --at-least, --at-most or both")
    return " and ".join(found)


def append(path: Path, name: str, text: str) -> None:
    """Add the entry to a file. Raises `UsageError` where the file has one of that name."""
    before = path.read_text("utf-8") if path.exists() else ""
    if f"[{name}]" in before or f"[{_quoted(name)}]" in before:
        raise UsageError(f"{path} has a claim {name} already; edit it there, or choose another name")
    path.parent.mkdir(parents=True, exist_ok=True)
    files.replace_file(path, f"{before}{chr(10) if before else ''}{text}".encode())
