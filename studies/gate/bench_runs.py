"""Whole runs of ``suite bench`` on a technique of a user's conftest.py: the baseline's network with more work.

The expectation is 1 with ``low = 0.99``. Each run is one judgement: started from nothing, its regressions repeated in
fresh processes. Only the training of the baseline is taken from the session's first run.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from studies.gate.decision_log import DecisionLog, Row
from studies.gate.table import INCONCLUSIVE, REGRESSED, share
from suite.core.errors import SetupError
from suite.registry.settings import PACKAGE

PLANTED = "planted"
SHARES = (0.03, 0.0)
TECHNIQUE = "more_work(share={})"
LOW, NOISE = 0.99, 0.0015  # the most noise at which a run of one timing is judged by such a bound itself
METRIC = "speedup"
BENCH = (
    "--workload=digits_cnn",
    "--device=cpu",
    "--seeds=1",
    "--reuse",
    "--cache-dir=cache",
    "--partial",
    "-k",
    "test_speed",
)
ENTRY = """
["{technique}".{metric}]
value = 1.0
low = {low}
unit = "1"
better = "higher"
tier = "family"
processes = 5
noise = {noise}
"""


@dataclass(frozen=True, kw_only=True)
class BenchRepository:
    """A user's folder with a conftest.py and expectations for one machine."""

    folder: Path
    machine: str

    def write(self) -> None:
        """Lay it out."""
        conftest = (PACKAGE / "cli" / "templates" / "more_work.py.txt").read_text("utf-8")
        (self.folder / "conftest.py").write_text(conftest, "utf-8")
        expected = self.folder / "expectations" / self.machine / "digits_cnn.toml"
        expected.parent.mkdir(parents=True)
        expected.write_text(expectations(self.machine), "utf-8")

    def judgement(self, planted: float) -> Row:
        """What a bench run says of the speed. Raises `SetupError` where it says nothing at all."""
        reports = Path(
            tempfile.mkdtemp(dir=self.folder, prefix="reports-")
        )  # a run that fails leaves no earlier verdict
        cell = (f"--technique={TECHNIQUE.format(planted)}", f"--reports-dir={reports}")
        command = [sys.executable, "-P", "-m", "suite", "bench", *cell, *BENCH]
        ended = subprocess.run(  # noqa: S603  # our own command
            command, cwd=self.folder, env=dict(os.environ), check=False, text=True, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )  # fmt: skip
        found = [said for path in reports.glob("*-cpu/results.jsonl") for said in verdicts(path.read_text("utf-8"))]
        if not found:
            raise SetupError(f"a bench run of the study ended with {ended.returncode} and no verdict:\n{ended.stdout}")
        return found[-1] | {"code": ended.returncode}


def expectations(machine: str) -> str:
    """The user's file: a ratio of 1 for each technique."""
    head = f'schema = 1\n\n[origin]\ndate = 2026-11-26\nmachine = "{machine}"\nthreads = 1\n'
    names = [TECHNIQUE.format(planted) for planted in SHARES]
    return head + "".join(ENTRY.format(technique=name, metric=METRIC, low=LOW, noise=NOISE) for name in names)


def verdicts(text: str) -> list[Row]:
    """Those on the speed, of the lines of a run's results."""
    rows = [json.loads(line) for line in text.splitlines() if '"verdict"' in line]
    return [_short(row) for row in rows if row.get("type") == "verdict" and row.get("metric") == METRIC]


def _short(row: Row) -> Row:
    measured = row.get("measurement") or {}
    return {"verdict": row["kind"], "reason": row["reason"]} | {
        name: measured.get(name) for name in ("value", "low", "high", "n")
    }


def run(decision_log: DecisionLog, *, machine: str, versions: Mapping[str, str], minutes: float) -> None:
    """Judge for about so many minutes, the share with fewer judgements first; each is kept as it comes."""
    end = monotonic() + 60 * minutes
    with tempfile.TemporaryDirectory(prefix="suite-") as scratch:
        repository = BenchRepository(folder=Path(scratch), machine=machine)
        repository.write()
        while monotonic() < end:
            rows = judgements(decision_log, versions)
            planted = min(SHARES, key=lambda one: sum(row["planted"] == one for row in rows))
            said = repository.judgement(planted)
            decision_log.append({"kind": PLANTED, "planted": planted, "versions": dict(versions), **said})


def judgements(decision_log: DecisionLog, versions: Mapping[str, str]) -> list[Row]:
    """All so far with these versions."""
    return [row for row in decision_log.rows() if row["kind"] == PLANTED and row["versions"] == dict(versions)]


def lines(rows: Sequence[Row]) -> Iterator[str]:
    """What the runs said of each share, with 95 % intervals."""
    for planted in SHARES:
        kinds = [row["verdict"] for row in rows if row["planted"] == planted]
        if kinds:
            regressed, unsure = kinds.count(REGRESSED), kinds.count(INCONCLUSIVE)
            name = TECHNIQUE.format(planted)
            yield (
                f"{name} against 1 with low = {LOW}: regressed in {regressed} of {len(kinds)} runs "
                f"({share(regressed, len(kinds))}), inconclusive in {unsure}"
            )
