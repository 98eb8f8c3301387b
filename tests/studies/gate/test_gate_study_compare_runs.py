"""Whole comparisons of revisions: the user's repository, and what is read from a run."""
# the expected value stands on the left

import json
import subprocess

import pytest

from studies.gate import compare_runs
from studies.gate.compare_runs import BASE, MODULE, REVISIONS, CompareRepository, figures, lines
from studies.gate.decision_log import DecisionLog
from suite.cli.main import main


@pytest.fixture
def repository(tmp_path):
    made = CompareRepository(folder=tmp_path)
    made.write()
    return made


def cell(planted, verdict="pass", ratio=1.0):
    return {"cell": "convolutions-baseline-cpu", "planted": planted, "verdict": verdict, "ratio": ratio}


def test_each_revision_does_so_many_steps_more(repository):
    """As committed: the base a hundred of both, a slower one 2 and 5 more, the next the reverse."""

    def steps(branch):
        shown = subprocess.run(
            ["git", "show", f"{branch}:{MODULE}"],  # noqa: S607  # git of this machine
            cwd=repository.folder, check=True, text=True, capture_output=True,
        ).stdout  # fmt: skip
        compile(shown, MODULE, "exec")
        return [int(line.split(" = ")[1]) for line in shown.splitlines() if line[:4] in ("CONV", "PROD")]

    assert [100, 100] == steps(BASE) == steps("itself")
    assert [[102, 105], [105, 102]] == [steps("slower"), steps("slower-again")]


def test_only_the_timings_of_a_log_are_read():
    """Each cell's line, whatever else is logged."""
    log = [{"command": "suite"}, {"cell": "a", "metric": "speed"}, {"rows": [], "timings": [{"ratio": 1.01}]}]
    assert [{"ratio": 1.01}] == figures("\n".join(map(json.dumps, log)))


def test_cells_are_counted_by_planted_slowdown():
    """Regressed of all; of identical code also those further than 1.5 % from 1."""
    rows = [{"cells": [cell(0.0), cell(0.02, "regressed", 0.98)]}, {"cells": [cell(0.0, ratio=0.98), cell(0.02)]}]
    same, slower = lines(rows)
    assert "0% more work: regressed in 0 of 2" in same
    assert "1 further than 1.5% from 1" in same
    assert "2% more work: regressed in 1 of 2" in slower
    assert "ratios 0.9800 to 1.0000" in slower


def test_a_cell_without_a_ratio_is_counted_too():
    """Nothing could be timed: no ratio is made up."""
    (said,) = lines([{"cells": [cell(0.0, "inconclusive", None)]}])
    assert "inconclusive in 1, no ratio" in said


def test_revisions_take_turns(tmp_path, monkeypatch):
    """The one with fewer runs is next, over sessions; every run is kept."""
    decision_log, clock = DecisionLog(path=tmp_path / "machine.jsonl"), iter(range(10))
    monkeypatch.setattr(compare_runs, "monotonic", lambda: next(clock))
    monkeypatch.setattr(CompareRepository, "comparison", lambda *_, **__: [cell(0.0)])
    compare_runs.run(decision_log, versions={"torch": "2"}, minutes=6 / 60)
    found = compare_runs.comparisons(decision_log, {"torch": "2"})
    assert [*REVISIONS, "itself"] == [row["revision"] for row in found]
    assert [] == compare_runs.comparisons(decision_log, {"torch": "3"})


@pytest.mark.system
@pytest.mark.timeout(600)
@pytest.mark.usefixtures("forking")
def test_a_revision_is_compared_with_itself(capsys, tmp_path, monkeypatch):
    """One real comparison of two cells, of few pairs: nothing is called slower."""
    monkeypatch.setattr(compare_runs, "OPTIONS", (*compare_runs.OPTIONS, "--pairs=3", "--budget=1.5"))
    assert 0 == main(["gate-study", f"--reports-dir={tmp_path}", "--compare", "--minutes=0.01"])
    assert "0% more work: regressed in 0 of 2" in capsys.readouterr().out
    (row,) = DecisionLog(path=next((tmp_path / "gate_study").glob("*.jsonl"))).rows()
    assert 2 == len(row["cells"])
