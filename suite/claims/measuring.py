"""The runs of ``suite bench`` that a ledger's claims need: one for each workload, with all cells that are asked for."""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from suite.claims.claim import Claim
from suite.core.composition import BASELINE
from suite.core.errors import SetupError
from suite.core.exit_codes import EXIT_INTERRUPTED, EXIT_UNUSABLE
from suite.core.machine import child
from suite.core.metrics import is_paired

STEP = "train_step_speedup"  # what a training step computes changes with each step
ABSOLUTE = frozenset({"throughput", "latency_p50", "latency_p99"})
OF_ONE_ITEM = frozenset({"speedup_b1", "latency_p50", "latency_p99"})


def needed(claims: Iterable[Claim]) -> dict[str, list[str]]:
    """By workload the techniques that claims name, each once and in their order; the baseline is in every run."""
    found: dict[str, list[str]] = {}
    for claim in claims:
        for cell in claim.texts:
            workload, _, technique = cell.partition("/")
            chosen = found.setdefault(workload, [BASELINE])
            if technique not in chosen:
                chosen.append(technique)
    return found


def timed(claims: Iterable[Claim]) -> dict[tuple[str, int | None], list[str]]:
    """By cell, spelled as they spell it, and batch the claims that rest on how fast it is served.

    The batch is 1, or ``None`` for the workload's serving batch.
    """
    found: dict[tuple[str, int | None], list[str]] = {}
    for claim in claims:
        for alias, batch in _timed_names(claim):
            for cell in claim.cells.get(alias, ()):
                names = found.setdefault((cell, batch), [])
                names += [] if claim.name in names else [claim.name]
    return found


def _timed_names(claim: Claim) -> Iterator[tuple[str, int | None]]:
    """The names of cells whose speed of inference a part asks for, and the batch of its metric."""
    for part in claim.parts.values():
        for node in ast.walk(part.tree):
            match node:
                case ast.Call(ast.Name(metric), [ast.Name(alias)]) if _of_serving(metric):
                    yield alias, 1 if metric in OF_ONE_ITEM else None


def _of_serving(metric: str) -> bool:
    return metric in ABSOLUTE or (is_paired(metric) and metric != STEP)


def command(workload: str, techniques: Sequence[str], options: Sequence[str], reports: Path) -> list[str]:
    """``suite bench`` on these cells, without stored expectations."""
    chosen = [f"--technique={technique}" for technique in techniques]
    return ["bench", f"--workload={workload}", *chosen, "--expect=off", f"--reports-dir={reports}", *options]


def measure(claims: Iterable[Claim], options: Sequence[str], reports: Path, say: Callable[[str], None]) -> list[Path]:
    """Run what the claims need; the results folders. Raises `SetupError` where a run cannot be used."""
    folders = []
    for workload, techniques in needed(claims).items():
        line = command(workload, techniques, options, reports)
        say(f"suite {' '.join(line)}")
        before = _latest(reports)
        code = child.run_to_end([sys.executable, "-P", "-m", "suite", *line], dict(os.environ))
        if code == EXIT_INTERRUPTED:
            raise KeyboardInterrupt
        folder = _latest(reports)
        if code == EXIT_UNUSABLE or folder is None or folder == before:  # an older run is no evidence
            raise SetupError(f"the cells of {workload} could not be measured (exit code {code}): see above")
        folders.append(folder)
    return folders


def _latest(reports: Path) -> Path | None:
    """The folder of the newest run that has ended."""
    found = (reports / "latest").resolve()
    return found if found.is_dir() else None
