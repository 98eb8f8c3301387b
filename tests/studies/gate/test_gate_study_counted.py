"""Counted processes of the gate study: what is varied, what is kept, and what pairs say."""
# the expected value stands on the left

import json
import subprocess
from pathlib import Path

import pytest

from studies.gate import counted
from studies.gate.decision_log import DecisionLog
from suite.core.errors import SetupError
from suite.measure.counting.instructions import InstructionCount

VERSIONS = {"torch": "2"}


def row(same, more, varied="nothing"):
    return {"kind": counted.COUNTED, "versions": VERSIONS, "varied": varied, "same": same, "more": more}


def test_all_pairs_of_processes_are_compared():
    """One of them is a false alarm, one planted network is missed."""
    rows = [row(100_000, 100_100), row(100_000, 100_100), row(100_060, 100_160, "path")]
    first, far, second, *varied = counted.lines(rows)
    assert "counted, the same code: 3 pairs of 3 processes, 2 false alarms, 1 equal" == first
    assert "counted, the same code: 2 pairs further apart than 0.02%, the furthest 0.06000%" == far
    assert "counted, 0.04% more: found in 4 of 6 pairs" == second
    assert [
        "counted, nothing varied: 100,000 to 100,000 instructions in 2 processes",
        "counted, path varied: 100,060 to 100,060 instructions in 1 processes",
    ] == varied


def test_each_share_of_more_work_is_told_of_the_processes_that_counted_it():
    """Earlier processes counted one share alone, and did not keep the load."""
    rows = [row(100_000, 100_100), {**row(100_000, 100_100), "more_2": 102_000, "load": 3.5}]
    found = counted.lines(rows)
    assert "counted, 0.10% more: found in 2 of 2 pairs" in found
    assert "counted, 2.00% more: found in 1 of 1 pairs" in found
    assert "counted at a load of 3.5 to 3.5 (median 3.5): 1 processes; not kept of 1" in found


def test_one_process_is_no_pair():
    """There is nothing to say."""
    assert [] == counted.lines([row(1, 1)])


@pytest.fixture
def processes(monkeypatch):
    """Processes that count at once; the command and the environment of each."""
    seen = []

    def run(command, *, env, **_):
        seen.append((command, env))
        assert Path(command[-3]).is_file()
        return subprocess.CompletedProcess(command, 0, stdout=json.dumps({"same": ["s"], "more": ["m"]}), stderr="")

    monkeypatch.setattr(counted.instructions, "check_available", lambda _: None)
    monkeypatch.setattr(counted.instructions, "library", lambda folder: folder / "l.so")
    monkeypatch.setattr(
        counted.instructions, "read", lambda files: InstructionCount(value={"s": 10, "m": 11}[files[0]], functions={})
    )
    monkeypatch.setattr(counted.subprocess, "run", run)
    return seen


def test_each_process_is_kept_at_once_and_the_next_run_goes_on(processes, monkeypatch, tmp_path):
    """Seed, path and environment take turns."""
    log = DecisionLog(path=tmp_path / "log.jsonl")
    for first in (0, 3):
        ticks = iter([0, *[0] * (3 - first // 2), 1e9])
        monkeypatch.setattr(counted, "monotonic", ticks.__next__)
        counted.run(log, versions=VERSIONS, minutes=1)
    found = counted.counts(log, VERSIONS)
    assert ["nothing", "hash seed", "path", "environment", "nothing"] == [one["varied"] for one in found]
    assert {(10, 11)} == {(one["same"], one["more"]) for one in found}
    assert ["0", "1", "0", "0", "0"] == [env["PYTHONHASHSEED"] for _, env in processes]
    assert "STUDY_FILLER" in processes[3][1]
    assert "longerlonger" in processes[2][0][-3]
    assert [] == counted.counts(log, {"torch": "3"})


def test_a_process_that_fails_is_told(processes, monkeypatch, tmp_path):
    """With its last words."""
    assert [] == processes
    failed = subprocess.CompletedProcess([], 1, stdout="", stderr="no luck")
    monkeypatch.setattr(counted.subprocess, "run", lambda *_, **__: failed)
    with pytest.raises(SetupError, match="ended with 1: no luck"):
        counted.run(DecisionLog(path=tmp_path / "log.jsonl"), versions=VERSIONS, minutes=1)
