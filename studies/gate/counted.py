"""Instructions of the same small network in fresh processes, and of ones that do 0.1 to 3 % more.

All pairs of processes are compared as `suite compare --count` compares its two sides. Processes differ in what should
move nothing: the hash seed of Python, the length of the paths, the size of the environment.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, product
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import monotonic

from studies.gate.counted_process import COUNTING, NETWORKS
from studies.gate.decision_log import DecisionLog, Row
from suite.core.errors import SetupError
from suite.measure.counting import instructions

COUNTED = "counted"
SAME = "same"  # the network that all processes have alike
PROGRAM = Path(__file__).with_name("counted_process.py")
ROOT = Path(__file__).parents[2]
VARIED = ("nothing", "hash seed", "path", "environment")
"""What differs from process to process; they take turns."""
NEAR = 0.0002
"""Relative difference that no pair of identical code may have."""


def run(log: DecisionLog, *, versions: Mapping[str, str], minutes: float) -> None:
    """Count in one fresh process after another and keep each at once; the log goes on where it stopped."""
    until, number = monotonic() + 60 * minutes, len(counts(log, versions))
    instructions.check_available("cpu")
    while monotonic() < until:
        varied = VARIED[number % len(VARIED)]
        row = {"kind": COUNTED, "versions": dict(versions), "varied": varied, **_counted(varied, number)}
        log.append({**row, "load": round(os.getloadavg()[0], 2)})
        number += 1


def counts(log: DecisionLog, versions: Mapping[str, str]) -> list[Row]:
    """All processes so far with these versions."""
    return [row for row in log.rows() if row["kind"] == COUNTED and row["versions"] == dict(versions)]


def lines(rows: Sequence[Row]) -> list[str]:
    """What pairs of processes say; nothing without two of them."""
    if len(rows) < 2:  # noqa: PLR2004  # a pair
        return []
    same = [_apart(one[SAME], other[SAME]) for one, other in combinations(rows, 2)]
    alarms = sum(a > instructions.SAME for a in same)
    equal, far = sum(a == 0 for a in same), sum(a > NEAR for a in same)
    return [
        f"counted, the same code: {len(same)} pairs of {len(rows)} processes, {alarms} false alarms, {equal} equal",
        f"counted, the same code: {far} pairs further apart than {NEAR:.2%}, the furthest {max(same):.5%}",
        *filter(None, (_planted(rows, name) for name in NETWORKS if name != SAME)),
        *_by_load(rows),
        *(f"counted, {name} varied: {text}" for name, text in _by_variation(rows)),
    ]


def _planted(rows: Sequence[Row], name: str) -> str:
    """In how many pairs a network that does more is found; nothing where no process counted it."""
    pairs = product([row for row in rows if name in row], rows)
    changes = [now[name] / before[SAME] - 1 for now, before in pairs if now is not before]
    found = sum(change > instructions.SAME for change in changes)
    return f"counted, {min(changes):.2%} more: found in {found} of {len(changes)} pairs" if changes else ""


def _by_load(rows: Sequence[Row]) -> Iterator[str]:
    """How busy the machine was, of the processes that have kept it."""
    loads = [row["load"] for row in rows if "load" in row]
    if loads:
        yield (
            f"counted at a load of {min(loads):.1f} to {max(loads):.1f} (median {median(loads):.1f}): "
            f"{len(loads)} processes; not kept of {len(rows) - len(loads)}"
        )


def _by_variation(rows: Sequence[Row]) -> Iterator[tuple[str, str]]:
    for name in VARIED:
        values = [row[SAME] for row in rows if row["varied"] == name]
        if values:
            yield name, f"{min(values):,} to {max(values):,} instructions in {len(values)} processes"


def _apart(one: int, other: int) -> float:
    return abs(one - other) / min(one, other)


def _counted(varied: str, number: int) -> Row:
    with TemporaryDirectory() as name:
        folder = Path(name)
        program = _program(folder, "longer" * (1 + number % 20)) if varied == "path" else PROGRAM
        library, out = instructions.library(folder), folder / "callgrind"
        ended = subprocess.run(  # noqa: S603  # our own program
            [*instructions.command(out), sys.executable, "-P", str(program), str(library), str(out)],
            env=_environment(varied, number), capture_output=True, text=True, check=False,
        )  # fmt: skip
        if ended.returncode:
            raise SetupError(f"a process that counts ended with {ended.returncode}: {ended.stderr[-500:]}")
        dumps = json.loads(ended.stdout.splitlines()[-1])
        return {kind: instructions.read(files).value for kind, files in dumps.items()}


def _environment(varied: str, number: int) -> dict[str, str]:
    made = {**os.environ, **instructions.VARIABLES}
    if varied == "hash seed":
        made["PYTHONHASHSEED"] = str(number)
    if varied == "environment":
        made["STUDY_FILLER"] = "x" * (97 * number)
    return made


def _program(folder: Path, name: str) -> Path:
    """A copy of the program below a folder with another name."""
    for file in (PROGRAM, COUNTING):
        copy = folder / name / file.relative_to(ROOT)
        copy.parent.mkdir(parents=True)
        shutil.copy(file, copy)
    return folder / name / PROGRAM.relative_to(ROOT)
