"""A session: which loads, which shares, and a whole one with processes."""
# the expected value stands on the left

import subprocess
from dataclasses import make_dataclass
from types import SimpleNamespace

import pytest

from studies.gate import session, worker
from studies.gate.decide import CELL, METRIC, GateTerms
from studies.gate.protocol import Sample, StudyRequest
from studies.gate.session import AA_SHARE, SHARES, next_load, planned
from studies.gate.worker import sampled
from suite.cli.main import main
from suite.core import records
from suite.core.metrics import measured
from suite.core.records import Measurement
from suite.core.transport import from_line, to_line


def test_identical_code_is_asked_about_most():
    """Every share once, identical code several times, in an order that the seed decides."""
    shares = planned(1)
    assert sorted([*SHARES, *[0.0] * (AA_SHARE - 1)]) == sorted(shares)
    assert shares == planned(1)
    assert shares != planned(2)


def test_loads_take_turns_over_sessions():
    """The load with fewer decisions is next; foreign load counts as not busy."""
    quiet, busy = {"load": "quiet"}, {"load": "busy"}
    assert "quiet" == next_load([], can_be_busy=True)
    assert "busy" == next_load([quiet], can_be_busy=True)
    assert "quiet" == next_load([quiet, busy], can_be_busy=True)
    assert "quiet" == next_load([quiet], can_be_busy=False)


@pytest.mark.parametrize("arguments", [["--minutes=-1"], ["--seconds=0"], ["--minutes=nan"]])
def test_a_budget_that_is_none_is_refused(arguments, capsys, tmp_path):
    """Before anything is measured."""
    assert 11 == main(["gate-study", f"--reports-dir={tmp_path}", *arguments])
    assert "--minutes must be at least 0" in capsys.readouterr().err


def test_without_decisions_the_table_says_how_to_take_some(capsys, tmp_path):
    """``--minutes 0`` only shows."""
    assert 0 == main(["gate-study", f"--reports-dir={tmp_path}", "--minutes=0"])
    assert "take some: --minutes 10" in capsys.readouterr().out


FOUND = measured(CELL, METRIC, 1.01, low=1.0, high=1.02, confidence=0.99, n=30, control="baseline", null=1.001)


def test_a_field_that_is_added_to_the_studys_measurement_arrives(monkeypatch):
    """A fresh process sends the record as it is; the session reads it with the terms that it asked with."""
    asked = []

    def run(_command, *, input, **_):  # noqa: A002  # that of the function it stands for
        asked.append(from_line(input, StudyRequest))
        return SimpleNamespace(stdout=f"printed by a library\n{to_line(newer)}\n")

    kind = make_dataclass("Measurement", [("joules", float)], bases=(Measurement,), frozen=True, kw_only=True)
    newer = kind(**vars(FOUND), joules=2.5)
    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(records, "Measurement", kind)
    terms = GateTerms(low=0.99, noise=0.001, seconds=0.2)
    assert newer == sampled(0.03, terms, 7)
    assert [StudyRequest(task=Sample(planted=0.03), terms=terms, seed=7)] == asked


@pytest.mark.system
def test_a_session_records_its_bound_and_decides(capfd, tmp_path, monkeypatch, forking):
    """With real processes: a bound, at least one decision, a table, and files beside them.

    By the session's clock nine seconds are left once the bound is recorded, however long that took, and then none.
    """
    clock = iter([0.0, 51.0])
    monkeypatch.setattr(session, "monotonic", lambda: next(clock, 61.0))
    for module in (session, worker):
        monkeypatch.setattr(module, "COMMAND", (forking, *worker.COMMAND[1:]))
    assert 0 == main(["gate-study", f"--reports-dir={tmp_path}", "--minutes=1", "--seconds=0.2"])
    assert "simulated runs" in capfd.readouterr().out
    assert {".csv", ".jsonl", ".md"} <= {path.suffix for path in (tmp_path / "gate_study").iterdir()}
