"""Whole bench runs on planted work: the user's folder, and what is read from a run."""
# the expected value stands on the left

import json

import pytest

from studies.gate import bench_runs
from studies.gate.bench_runs import SHARES, BenchRepository, lines, verdicts
from studies.gate.decision_log import DecisionLog
from suite.cli.main import main
from suite.gate import load_all

MEASURED = {"value": 0.97, "low": 0.96, "high": 0.98, "n": 50, "unit": "1"}


@pytest.fixture
def repository(tmp_path):
    made = BenchRepository(folder=tmp_path, machine="cpu-x86_64-any-2c")
    made.write()
    return made


def test_the_expectations_are_one_with_a_bound_one_percent_below(repository):
    """As the suite reads them, for each planted share."""
    found = load_all(repository.folder / "expectations")
    assert [(1.0, 0.99)] * len(SHARES) == [(entry.value, entry.low) for entry in found]
    assert {"more_work(share=0.03)", "more_work(share=0.0)"} == {entry.technique for entry in found}


def test_the_conftest_declares_the_technique(repository):
    """It is Python, and plants with the study's own calibration."""
    code = (repository.folder / "conftest.py").read_text()
    compile(code, "conftest.py", "exec")
    assert "def more_work(" in code


def test_only_the_verdict_on_the_speed_is_read():
    """Not that of other metrics, and no measurement."""
    rows = [
        {"type": "measurement", "metric": "speedup", "note": "verdict"},
        {"type": "verdict", "metric": "speedup_b1", "kind": "pass", "reason": ""},
        {"type": "verdict", "metric": "speedup", "kind": "regressed", "reason": "below", "measurement": MEASURED},
    ]
    (said,) = verdicts("\n".join(map(json.dumps, rows)))
    assert ("regressed", 0.97, 50) == (said["verdict"], said["value"], said["n"])


def test_runs_are_counted_by_share():
    """Regressed of all, inconclusive beside it."""
    rows = [{"planted": 0.03, "verdict": kind} for kind in ("regressed", "regressed", "inconclusive")]
    (said,) = lines(rows)
    assert "regressed in 2 of 3 runs" in said
    assert "inconclusive in 1" in said


def test_shares_take_turns(tmp_path, monkeypatch):
    """The share with fewer judgements is next, over sessions; every one is kept."""
    decision_log, clock = DecisionLog(path=tmp_path / "machine.jsonl"), iter(range(10))
    monkeypatch.setattr(bench_runs, "monotonic", lambda: next(clock))
    monkeypatch.setattr(BenchRepository, "judgement", lambda _, planted: {"verdict": f"{planted}"})
    bench_runs.run(decision_log, machine="m", versions={"torch": "2"}, minutes=4 / 60)
    found = bench_runs.judgements(decision_log, {"torch": "2"})
    assert [0.03, 0.0, 0.03] == [row["planted"] for row in found]
    assert ["0.03", "0.0", "0.03"] == [row["verdict"] for row in found]
    assert [] == bench_runs.judgements(decision_log, {"torch": "3"})


@pytest.mark.system
@pytest.mark.timeout(600)
@pytest.mark.usefixtures("forking")
def test_a_whole_run_is_judged(capsys, tmp_path):
    """One bench run on three percent more work: some verdict, never a pass."""
    assert 0 == main(["gate-study", f"--reports-dir={tmp_path}", "--planted", "--minutes=0.01"])
    assert "of 1 runs" in capsys.readouterr().out
    (row,) = DecisionLog(path=next((tmp_path / "gate_study").glob("*.jsonl"))).rows()
    assert row["verdict"] in ("regressed", "inconclusive")
