"""The decisions of all sessions on one machine: lines of JSON, to which sessions add.

A ``bound`` is the expectation that the decisions below it were judged by: another version of torch needs another one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import stdev
from typing import Any, BinaryIO

from suite.core.errors import ResultsError
from suite.gate.bounds import DRIFT_SIGMAS, RATIO_MARGIN

Row = dict[str, Any]
BOUND, DECISION = "bound", "decision"


@dataclass(frozen=True, kw_only=True)
class DecisionLog:
    """One machine's file."""

    path: Path

    def rows(self) -> list[Row]:
        """Everything so far. A last line that was cut off is passed over; any other broken one is a `ResultsError`."""
        if not self.path.exists():
            return []
        *lines, tail = self.path.read_text("utf-8").split("\n")
        rows = [self._row(number, line) for number, line in enumerate(lines, 1) if line.strip()]
        return [*rows, *_whole(tail)]

    def append(self, row: Mapping[str, Any]) -> None:
        """Add a line; several writers take turns."""
        from filelock import FileLock

        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(f"{self.path}.lock"), self.path.open("a+b") as file:
                _end_last_line(file)
                file.write(json.dumps(row).encode() + b"\n")
        except OSError as error:
            raise ResultsError(f"cannot write {self.path}: {error.strerror or error}; choose another folder") from error

    def bound(self, versions: Mapping[str, str]) -> Row | None:
        """The newest bound that was recorded with these versions."""
        found = [row for row in self.rows() if row["kind"] == BOUND and row["versions"] == dict(versions)]
        return found[-1] if found else None

    def decisions(self, bound: Row) -> list[Row]:
        """Those that were judged by a bound."""
        return [row for row in self.rows() if row["kind"] == DECISION and row["bound"] == bound["at"]]

    def _row(self, number: int, line: str) -> Row:
        found = _whole(line)
        if not found:
            raise ResultsError(f"{self.path}:{number}: this line is no record; remove it")
        return found[0]


def _whole(line: str) -> list[Row]:
    try:
        row = json.loads(line)
    except ValueError:
        return []
    return [row] if isinstance(row, dict) and "kind" in row else []


def _end_last_line(file: BinaryIO) -> None:
    """Leave the file at the end of a whole line: half a line that a killed session left is taken away."""
    file.seek(0)
    text = file.read()
    tail = text[text.rfind(b"\n") + 1 :]
    if not tail:
        return
    if _whole(tail.decode(errors="replace")):
        file.write(b"\n")
    else:
        file.truncate(len(text) - len(tail))


def sharpest(values: Sequence[float]) -> tuple[float, float]:
    """``(low, s)``: the nearest bound to 1 that ``suite lint`` takes, given A/A ratios of several processes.

    At least 1 % below, and so far that their spread alone breaks it in one run of a thousand.
    """
    noise = stdev(values)
    return round(1 - max(RATIO_MARGIN, DRIFT_SIGMAS * noise), 5), noise
