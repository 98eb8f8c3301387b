"""Instructions of two functions, each counted by valgrind in a process of its own (`counted_process`)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from suite.bench.functions.comparing import CANDIDATE
from suite.bench.functions.result import BoundDecision, check_bound
from suite.core.composition import BASELINE
from suite.core.errors import UnavailableError
from suite.measure.counting import instructions
from suite.measure.counting.instructions import InstructionCount

MODULE = "suite.bench.functions.counted_process"
NAMED = 3  # functions that explain a difference


@dataclass(frozen=True, kw_only=True)
class InstructionRatio:
    """Instructions of one call of both functions."""

    baseline: InstructionCount
    candidate: InstructionCount

    @property
    def value(self) -> float:
        """The baseline's over the candidate's: above 1 the candidate takes fewer."""
        return self.baseline.value / self.candidate.value

    def at_least(self, bound: float) -> BoundDecision:
        """Whether the ratio is at least ``bound``, up to what two counts of the same code differ by."""
        check_bound(bound)
        doubt = self.baseline.doubt or self.candidate.doubt
        figure = f"{self}, at least {bound:g} times fewer wanted"
        if doubt:
            return BoundDecision(holds=False, figure=f"inconclusive: {figure}: {doubt}", is_open=True)
        return BoundDecision(holds=self.value >= bound * (1 - instructions.SAME), figure=figure)

    def __str__(self) -> str:
        now, before = self.candidate, self.baseline
        said = f"instructions {before.value:,} -> {now.value:,} ({now.value / before.value - 1:+.2%})"
        if abs(now.value / before.value - 1) <= instructions.SAME:
            return said
        return "; ".join([said, *instructions.largest_changes(now.functions, before.functions, NAMED)])


def counted(baseline: str, candidate: str) -> InstructionRatio:
    """Count both functions, named as ``file.py:name``, at once. Raises `UnavailableError` where valgrind cannot."""
    instructions.check_available("cpu")
    with TemporaryDirectory(prefix="suite-") as name:
        library = instructions.library(Path(name))
        texts = {BASELINE: baseline, CANDIDATE: candidate}
        started = [_started(text, library, Path(name) / side) for side, text in texts.items()]
        ended = [(process, *process.communicate()) for process in started]
        before, now = (instructions.read(_files(*one)) for one in ended)
    return InstructionRatio(baseline=before, candidate=now)


def _started(text: str, library: Path, out: Path) -> subprocess.Popen[str]:
    command = [*instructions.command(out), sys.executable, "-P", "-m", MODULE, str(library), str(out), text]
    return subprocess.Popen(  # noqa: S603  # our own program
        command, env={**os.environ, **instructions.VARIABLES}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def _files(process: subprocess.Popen[str], printed: str, told: str) -> list[str]:
    if process.returncode:
        said = told.strip().splitlines() or ["it said nothing"]
        why = instructions.explained(f"a process under valgrind ended with {process.returncode}: {said[-1]}")
        raise UnavailableError(f"instructions are not counted: {why}")
    files: list[str] = json.loads(printed.splitlines()[-1])
    return files
