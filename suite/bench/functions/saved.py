"""Comparisons of the fixture `tradeoff` kept under a name, and those of a later run beside them.

A file holds what each test of one run showed, by the test and the number of its comparison. Speed-ups of two runs are
each against their own baseline, in turns; their ratio says how much the candidate gained or lost against it. The runs
took place one after the other, so its interval takes their errors as independent ones.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any

from suite.core.errors import UsageError, unknown
from suite.core.files import replace_file
from suite.report.engine_gains import Gain

if TYPE_CHECKING:
    from suite.bench.functions.result import SpeedRatio

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
SCHEMA = 1
Rows = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class SavedRun:
    """What the comparisons of one run showed on a ``machine``, by test."""

    machine: str
    rows: Rows = field(default_factory=dict)

    def add(self, nodeid: str, found: SpeedRatio) -> None:
        """One more comparison of a test; the second one of it is ``test#2``. Parameters of a test may hold a ``#``."""
        of_test = re.compile(rf"{re.escape(nodeid)}(#\d+)?")
        count = sum(of_test.fullmatch(key) is not None for key in self.rows)
        self.rows[f"{nodeid}#{count + 1}" if count else nodeid] = {
            "value": found.value, "low": found.low, "high": found.high, "suspect": found.suspect,
        }  # fmt: skip


def path_of(folder: Path, name: str) -> Path:
    """The file of a name. Raises `UsageError` for one that a file cannot have."""
    if NAME.fullmatch(name) is None:
        raise UsageError(f"{name!r} is no name for a saved run; use letters, digits, '.', '_' and '-'")
    return folder / f"{name}.json"


def check_writable(path: Path) -> None:
    """Raise `UsageError` where a run cannot be saved as ``path``, before anything is timed."""
    if path.is_dir():
        raise UsageError(f"{path} is a folder; delete it, or use another name")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise UsageError(
            f"{path.parent} cannot be written ({error.strerror}); --tradeoff-saved DIR names another"
        ) from error


def write(folder: Path, name: str, run: SavedRun) -> Path:
    """Keep a run under a name; an earlier one of that name is replaced."""
    path = path_of(folder, name)
    content = {"schema": SCHEMA, "machine": run.machine, "comparisons": run.rows}
    replace_file(path, (json.dumps(content, indent=1) + "\n").encode())
    return path


def read(folder: Path, name: str) -> SavedRun:
    """The run of a name. Raises `UsageError` with the names that there are, or for a file of another kind."""
    path = path_of(folder, name)
    if not path.exists():
        raise unknown("saved run", name, sorted(one.stem for one in folder.glob("*.json")))
    try:
        content = json.loads(path.read_text("utf-8"))
        if content["schema"] != SCHEMA:
            raise UsageError(f"{path} has schema {content['schema']}, and this version reads {SCHEMA}; save it anew")
        rows = {str(key): _row(key, row) for key, row in content["comparisons"].items()}
        return SavedRun(str(content["machine"]), rows)
    except (OSError, AttributeError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{path} is no saved run ({_said(error)}); save it anew") from error


def _row(key: str, row: object) -> dict[str, Any]:
    """A comparison of a file. Raises `ValueError` for one that `SavedRun.add` has not written."""
    if not isinstance(row, dict) or row.keys() != {"value", "low", "high", "suspect"}:
        raise ValueError(f"{key} has {row!r} instead of value, low, high and suspect")
    ends = (row["low"], row["high"])
    numbers = (row["value"],) if ends == (None, None) else (row["value"], *ends)
    if not all(map(_is_ratio, numbers)) or not isinstance(row["suspect"], str | None):
        raise ValueError(f"{key} has {row!r}, which are no ratios above 0")
    return dict(row)


def _is_ratio(number: object) -> bool:
    return isinstance(number, int | float) and not isinstance(number, bool) and 0 < number < math.inf


def _said(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"{error} is missing"
    return error.strerror or type(error).__name__ if isinstance(error, OSError) else str(error)


def compared(before: SavedRun, now: SavedRun) -> list[str]:
    """A line for each comparison of both runs, and for what only one of them has."""
    if before.machine != now.machine:
        return [f"saved on {before.machine}, this is {now.machine}: speed-ups of two machines are not compared"]
    return [
        f"{key}: {_change(before.rows.get(key), now.rows.get(key))}" for key in dict.fromkeys((*before.rows, *now.rows))
    ]


def _change(before: Mapping[str, Any] | None, now: Mapping[str, Any] | None) -> str:
    if before is None:
        return "new"
    if now is None:
        return "was not compared in this run"
    said = f"speed-up {before['value']:.3g} -> {now['value']:.3g}"
    if doubt := before["suspect"] or now["suspect"]:
        return f"{said}, decides nothing: {doubt}"
    change = _gain(now).over(_gain(before))
    if change.low is None or change.high is None:
        return f"{said}, decides nothing: too few rounds for an interval"
    kind = "slower" if change.high < 1 else "faster" if change.low > 1 else "no change shown"
    return f"{said}, {change.value:.3f}x [{change.low:.3f}, {change.high:.3f}]: {kind}"


def _gain(row: Mapping[str, Any]) -> Gain:
    return Gain(row["value"], row["low"], row["high"])
