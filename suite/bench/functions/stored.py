"""The speed-up or the counted work of a test's two callables against this repository's expectations."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from suite.bench.functions.counting import CountedTradeoff
from suite.bench.functions.result import FunctionTradeoff
from suite.core.composition import BASELINE
from suite.core.errors import UsageError
from suite.core.records import Cell, Measurement, RunHeader, Verdict, VerdictKind

if TYPE_CHECKING:
    from suite.gate import Recorded

METRIC = "speedup"
UNSAFE = re.compile(r"[^A-Za-z0-9_.-]+")


def cell_of(nodeid: str, device: str = "cpu", *, name: str = "") -> Cell:
    """The cell of a test: its file and function are the workload, its parameters are the technique's.

    ``tests/test_norm.py::TestFast::test_norm[64]`` is ``tests.test_norm-TestFast.test_norm`` and ``candidate[64]``; the
    ``name`` of one of several checks follows a colon. A name that a file cannot have gets a digest of what it was.
    """
    path, _, function = nodeid.partition("::")
    bare, bracket, parameters = function.partition("[")
    plain = "-".join((path.removesuffix(".py").replace("/", "."), ".".join(bare.split("::"))))
    is_plain = UNSAFE.search(plain) is None and "." not in path.removesuffix(".py")
    workload = plain if is_plain else f"{UNSAFE.sub('_', plain)}-{_digest(f'{path}::{bare}')}"
    technique = f"candidate{bracket}{parameters}{':' if name else ''}{name}"
    return Cell(workload=workload, technique=technique, device=device)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def measured(cell: Cell, result: FunctionTradeoff | CountedTradeoff) -> list[Measurement]:
    """The speed-up, or each count of the candidate's, as `suite bench` has it."""
    return _counts(cell, result) if isinstance(result, CountedTradeoff) else [_speedup(cell, result)]


def judged(measurements: Sequence[Measurement], directory: Path) -> tuple[Verdict, ...]:
    """The verdicts on one cell by the expectations that apply here; an expected count that is missing has one, too."""
    from suite.core.machine import quiet
    from suite.core.machine.hardware import where
    from suite.gate import Store, check

    cell = measurements[0].cell
    here, store = where(cell.device), Store([directory])
    return check(
        measurements=measurements, failures=(), expectations=store.find(cell.workload, here), where=here,
        planned={cell: sorted({one.group for one in measurements})}, fresh_processes=False, quiet=quiet.is_quiet()[0],
        today=datetime.now(UTC).date(),
        near=lambda one: store.near(cell.workload, cell.technique, one.metric, here),
    )  # fmt: skip


def recorded(measurements: Sequence[Measurement], directory: Path, command: Sequence[str]) -> Recorded:
    """Store a speed-up, with the wide bounds of one process, beside what earlier runs of this machine saw, or counts.

    Raises `UsageError` for what regresses by what is stored.
    """
    from suite.core.machine import quiet
    from suite.core.machine.hardware import where
    from suite.gate import Storing, record

    for before in judged(measurements, directory):
        if before.kind is VerdictKind.REGRESSED:
            entry = before.expectation
            at = f"{entry.path}:{entry.line}" if entry else str(directory)
            raise UsageError(
                f"not recorded, it regresses: {before.reason}; if that is wanted, delete the entry at {at}"
            )
    now = datetime.now(UTC)
    header = RunHeader(
        run=f"tradeoff-{now:%Y-%m-%dT%H-%M-%S}", started=now.isoformat(timespec="seconds"),
        command=" ".join(command), commit=None, where=where(measurements[0].cell.device), seeds=(0,),
        profile="default", quiet=quiet.is_quiet()[0],
    )  # fmt: skip
    return record(measurements, header=header, directory=directory, how=Storing(single=True))


def _speedup(cell: Cell, result: FunctionTradeoff) -> Measurement:
    from suite.core.machine.hardware import threads
    from suite.core.metrics import measured as of_catalogue

    ratio = result.speedup
    return of_catalogue(
        cell, METRIC, ratio.value, low=ratio.low, high=ratio.high, confidence=ratio.confidence, n=ratio.rounds,
        suspect=ratio.suspect, control=BASELINE, null=ratio.null, conditions={"threads": threads(cell.device)},
    )  # fmt: skip


def _counts(cell: Cell, result: CountedTradeoff) -> list[Measurement]:
    from suite.core.metrics import measured as of_catalogue
    from suite.measure.counts import version

    return [
        of_catalogue(
            cell, name, one.value, suspect=one.doubt, fingerprint=one.fingerprint, lines=one.lines,
            conditions={"torch": version()},
        )
        for name, one in result.work.candidate.items()
    ]  # fmt: skip
