"""The decisions of all sessions on one machine: lines of JSON, to which sessions add.

A ``bound`` is the expectation that the decisions below it were judged by: another version of torch needs another one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import stdev
from typing import Any

from suite.core.errors import ResultsError
from suite.core.files import append_lines, locked, read_lines
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
        return [self._row(number, line) for number, line in read_lines(self.path) if line.strip()]

    def append(self, row: Mapping[str, Any]) -> None:
        """Add a line; several writers take turns."""
        try:
            with locked(self.path):
                append_lines(self.path, [json.dumps(row).encode()])
        except OSError as error:
            raise ResultsError(f"cannot write {self.path}: {error.strerror or error}; choose another folder") from error

    def bound(self, versions: Mapping[str, str]) -> Row | None:
        """The newest bound that was recorded with these versions."""
        found = [row for row in self.rows() if row["kind"] == BOUND and row["versions"] == dict(versions)]
        return found[-1] if found else None

    def decisions(self, bound: Row) -> list[Row]:
        """Those that were judged by a bound."""
        return [row for row in self.rows() if row["kind"] == DECISION and row["bound"] == bound["at"]]

    def _row(self, number: int, line: bytes) -> Row:
        try:
            row = json.loads(line)
        except ValueError:
            row = None
        if not isinstance(row, dict) or "kind" not in row:
            raise ResultsError(f"{self.path}:{number}: this line is no record; remove it")
        return row


def sharpest(values: Sequence[float]) -> tuple[float, float]:
    """``(low, s)``: the nearest bound to 1 that ``suite lint`` takes, given A/A ratios of several processes.

    At least 1 % below, and so far that their spread alone breaks it in one run of a thousand.
    """
    noise = stdev(values)
    return round(1 - max(RATIO_MARGIN, DRIFT_SIGMAS * noise), 5), noise
