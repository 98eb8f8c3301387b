"""Whole runs of ``suite compare`` in a user's repository: a revision against itself, and against one that does more.

Each run compares two cells, networks of a hundred equal steps. Of the planted revisions one does 2 % more steps in the
first network and 5 % more in the second, the other one the reverse.
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
from suite.compare.sides import run_git
from suite.core.errors import SetupError
from suite.registry.settings import PACKAGE

COMPARED = "compared"
STEPS = 100
REVISIONS: Mapping[str, Mapping[str, int]] = {
    "itself": {"convolutions": 0, "products": 0},
    "slower": {"convolutions": 2, "products": 5},
    "itself again": {"convolutions": 0, "products": 0},
    "slower again": {"convolutions": 5, "products": 2},
}
"""Steps more of each cell's hundred, by revision; they take turns."""
OPTIONS = ("--device=cpu",)  # pairs and seconds of timing are those that users get
OUTSIDE = 0.015  # no ratio of identical code may be further from 1
MODULE, BASE = "equal_layers.py", "base"
AUTHOR = ("-c", "user.name=study", "-c", "user.email=study@localhost", "-c", "commit.gpgsign=false")


@dataclass(frozen=True, kw_only=True)
class CompareRepository:
    """A user's repository: each revision a branch on top of ``base``."""

    folder: Path

    def write(self) -> None:
        """Commit the base and the revisions."""
        self._git("init", "--quiet", "--initial-branch", BASE)
        (self.folder / ".gitignore").write_text("reports*\n__pycache__\n", "utf-8")
        (self.folder / "pyproject.toml").write_text(f'[tool.tradeoff-suite]\nload = ["{MODULE}"]\n', "utf-8")
        self._commit({}, BASE)
        for name, more in REVISIONS.items():
            self._git("switch", "--quiet", "--create", _branch(name), BASE)
            self._commit(more, name)

    def comparison(self, revision: str, *, cache: Path) -> list[Row]:
        """What a run says of each cell. Raises `SetupError` where it says nothing at all."""
        self._git("switch", "--quiet", _branch(revision))
        reports = Path(tempfile.mkdtemp(dir=self.folder, prefix="reports-"))
        cells = [f"--workload={name}" for name in REVISIONS[revision]]
        places = (f"--reports-dir={reports}", f"--cache-dir={cache}")
        command = [sys.executable, "-P", "-m", "suite", "compare", BASE, *cells, *OPTIONS, *places]
        ended = subprocess.run(  # noqa: S603  # our own command
            command, cwd=self.folder, env=dict(os.environ), check=False, text=True, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )  # fmt: skip
        found = [one for path in reports.glob("*/compare.jsonl") for one in figures(path.read_text("utf-8"))]
        if len(found) != len(cells):
            raise SetupError(f"a comparison of the study ended with {ended.returncode}:\n{ended.stdout}")
        more = {f"{name}-baseline-cpu": steps / STEPS for name, steps in REVISIONS[revision].items()}
        return [one | {"planted": more[one["cell"]], "code": ended.returncode} for one in found]

    def _commit(self, more: Mapping[str, int], message: str) -> None:
        text = (PACKAGE / "cli" / "templates" / f"{MODULE}.txt").read_text("utf-8")
        for name, steps in more.items():
            text = text.replace(f"{name.upper()} = {STEPS}", f"{name.upper()} = {STEPS + steps}")
        (self.folder / MODULE).write_text(text, "utf-8")
        self._git("add", "--all")
        self._git("commit", "--quiet", "--allow-empty", "--message", message)

    def _git(self, *arguments: str) -> None:
        try:
            ended = run_git(self.folder, *AUTHOR, *arguments)
        except OSError as error:
            raise SetupError(f"the study of suite compare needs git: {error}") from error
        if ended.returncode:
            raise SetupError(f"git {' '.join(arguments)} failed: {ended.stderr.strip()}")


def _branch(revision: str) -> str:
    return revision.replace(" ", "-")


def figures(text: str) -> list[Row]:
    """The verdicts on timings, of the lines of a comparison's log."""
    return [one for line in text.splitlines() for one in json.loads(line).get("timings", [])]


def run(decision_log: DecisionLog, *, versions: Mapping[str, str], minutes: float) -> None:
    """Compare for about so many minutes, the revisions in turn over sessions; each run is kept as it comes."""
    end = monotonic() + 60 * minutes
    with tempfile.TemporaryDirectory(prefix="suite-") as scratch:
        repository, cache = CompareRepository(folder=Path(scratch) / "repository"), Path(scratch) / "cache"
        repository.folder.mkdir()
        repository.write()
        while monotonic() < end:
            rows = comparisons(decision_log, versions)
            revision = min(REVISIONS, key=lambda one: sum(row["revision"] == one for row in rows))
            said = repository.comparison(revision, cache=cache)
            decision_log.append({"kind": COMPARED, "revision": revision, "cells": said, "versions": dict(versions)})


def comparisons(decision_log: DecisionLog, versions: Mapping[str, str]) -> list[Row]:
    """All so far with these versions."""
    return [row for row in decision_log.rows() if row["kind"] == COMPARED and row["versions"] == dict(versions)]


def lines(rows: Sequence[Row]) -> Iterator[str]:
    """What the runs said of each planted slowdown, with 95 % intervals, and how far identical code strayed."""
    cells = [cell for row in rows for cell in row["cells"]]
    for planted in sorted({cell["planted"] for cell in cells}):
        chosen = [cell for cell in cells if cell["planted"] == planted]
        kinds = [cell["verdict"] for cell in chosen]
        regressed, unsure = kinds.count(REGRESSED), kinds.count(INCONCLUSIVE)
        yield (
            f"suite compare, {planted:.0%} more work: regressed in {regressed} of {len(kinds)} "
            f"({share(regressed, len(kinds))}), inconclusive in {unsure}, {_spread(chosen)}"
        )


def _spread(cells: Sequence[Row]) -> str:
    """Where the ratios lay, and how many of identical code too far from 1."""
    ratios = [cell["ratio"] for cell in cells if cell["ratio"] is not None]
    if not ratios:
        return "no ratio"
    text = f"ratios {min(ratios):.4f} to {max(ratios):.4f}"
    if cells[0]["planted"]:
        return text
    return f"{text}, {sum(abs(ratio - 1) > OUTSIDE for ratio in ratios)} further than {OUTSIDE:.1%} from 1"
