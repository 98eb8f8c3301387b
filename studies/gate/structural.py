"""Faults that structural counts have to find, each with its line: ten networks for each kind of fault.

Each variant is counted with and without the fault in one process, and compared as `suite compare --count` compares its
two sides. The kind ``moved`` has no fault: its networks have a remark more.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from time import monotonic

from studies.gate.decision_log import DecisionLog, Row
from studies.gate.structural_networks import FAULTS, VARIANTS
from suite.core.errors import SetupError

STRUCTURAL = "structural"
ROOT = Path(__file__).parents[2]
FINDS = {
    "copy": {"operators"},
    "graph break": {"graph_breaks"},
    "recompilation": {"recompilations"},
    "unfused kernel": {"generated_kernels", "fused_operators"},
}
"""The metrics of which one has to regress."""


def run(log: DecisionLog, *, versions: Mapping[str, str], minutes: float) -> None:
    """Count all variants that the log does not have yet, and keep each at once; no new kind after so many minutes."""
    until, known = monotonic() + 60 * minutes, {(row["fault"], row["variant"]) for row in counts(log, versions)}
    for fault in FAULTS:
        missing = [number for number in range(VARIANTS) if (fault, number) not in known]
        if missing and monotonic() < until:
            for found in _counted(fault, missing):
                log.append({"kind": STRUCTURAL, "versions": dict(versions), "fault": fault, **found})


def counts(log: DecisionLog, versions: Mapping[str, str]) -> list[Row]:
    """All variants so far with these versions."""
    return [row for row in log.rows() if row["kind"] == STRUCTURAL and row["versions"] == dict(versions)]


def lines(rows: Sequence[Row]) -> list[str]:
    """By kind, how many were found, and in how many of them the planted line is named."""
    by_fault = {fault: [row for row in rows if row["fault"] == fault] for fault in FAULTS}
    return [_line(fault, own) for fault, own in by_fault.items() if own]


def is_found(row: Row) -> bool:
    """Whether one of the metrics that a fault is of has regressed."""
    return any(row["verdicts"].get(metric) == "regressed" for metric in FINDS[row["fault"]])


def _line(fault: str, rows: Sequence[Row]) -> str:
    if fault not in FINDS:
        return f"structure, {fault}: {sum(bool(row['verdicts']) for row in rows)} of {len(rows)} differ"
    found = [row for row in rows if is_found(row)]
    named = sum(bool(FINDS[fault] & set(row["named"])) for row in found)
    return f"structure, {fault}: found in {len(found)} of {len(rows)}, in {named} with its line"


def _counted(fault: str, variants: Sequence[int]) -> Iterator[Row]:
    command = [sys.executable, "-m", "studies.gate.structural_process", fault, *map(str, variants)]
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    with subprocess.Popen(  # noqa: S603  # our own program
        command, env={**os.environ, "PYTHONPATH": path}, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None  # noqa: S101  # it is a pipe
        for line in process.stdout:
            yield json.loads(line)
    if process.returncode:
        raise SetupError(f"a process that counts {fault} ended with {process.returncode}: its error stands above")
