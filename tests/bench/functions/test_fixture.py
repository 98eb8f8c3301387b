"""The fixture ``tradeoff``: what fails a test, what decides nothing, and where nothing can be timed."""

import os
from types import SimpleNamespace

import pytest

from suite.bench import integrity
from suite.bench.functions import comparing, fixture, stored
from suite.bench.functions.answers import AnswersApart
from suite.bench.functions.fixture import TradeoffFixture, TradeoffWarning
from suite.core.errors import ImplausibleError
from suite.core.machine import quiet
from suite.core.records import Reason, VerdictKind

RESULT = SimpleNamespace(device="cpu", outputs=AnswersApart(difference=0.0))


def made(tmp_path, inconclusive="fail", *, records=False):
    return TradeoffFixture(
        nodeid="test_a.py::test_b", folder=tmp_path, seconds=1.0, inconclusive=inconclusive, records=records
    )


@pytest.fixture(autouse=True)
def _alone(monkeypatch):
    monkeypatch.delenv(fixture.WORKER, raising=False)
    monkeypatch.setattr(quiet, "is_quiet", lambda *_, **__: ("SUITE_QUIET" in os.environ, ""))
    monkeypatch.setenv("SUITE_QUIET", "1")
    monkeypatch.setattr(integrity, "_constants", {"suite": {}})  # as if they were remembered


def said(call):
    with pytest.raises(pytest.fail.Exception) as caught:
        call()
    assert caught.value.__cause__ is caught.value.__context__ is None or caught.value.__suppress_context__
    return str(caught.value)


def test_what_cannot_be_compared_fails_in_one_line(tmp_path, monkeypatch):
    """Without a traceback from within."""

    def refuse(**_):
        raise ImplausibleError("the candidate answers otherwise")

    monkeypatch.setattr(comparing, "compare", refuse)
    found = said(lambda: made(tmp_path).compare(baseline=int, candidate=int))
    assert "tradeoff: implausible: the candidate answers otherwise" == found


def test_beside_other_workers_nothing_is_timed(tmp_path, monkeypatch):
    """They share the cores."""
    monkeypatch.setenv(fixture.WORKER, "gw0")
    assert "-n 0" in said(lambda: made(tmp_path).compare(baseline=int, candidate=int))


@pytest.mark.parametrize(
    ("kind", "reason"),
    [(VerdictKind.REGRESSED, "2 -> 1"), (VerdictKind.UNVERIFIED, "no expectation"), (VerdictKind.INCONCLUSIVE, "wide")],
)
def test_verdicts_that_do_not_pass_fail_the_test(tmp_path, monkeypatch, kind, reason):
    """What is not stored says how it is."""
    monkeypatch.setattr(stored, "measured", lambda *_: None)
    monkeypatch.setattr(
        stored, "judged", lambda *_: [SimpleNamespace(kind=kind, metric="speedup", reason=reason, code=None)]
    )
    found = said(lambda: made(tmp_path).check(RESULT))
    assert found.startswith(f"tradeoff: {kind}: speedup: {reason}")
    recorded_by = "; record it with: suite pytest test_a.py::test_b --tradeoff-record"
    assert (kind == VerdictKind.UNVERIFIED) == found.endswith(recorded_by)


def test_what_decides_nothing_does_what_the_option_says(tmp_path, monkeypatch):
    """It passes with a warning, or is skipped."""
    verdict = SimpleNamespace(kind=VerdictKind.INCONCLUSIVE, metric="speedup", reason="wide", code=None)
    monkeypatch.setattr(stored, "measured", lambda *_: None)
    monkeypatch.setattr(stored, "judged", lambda *_: [verdict])
    with pytest.warns(TradeoffWarning, match="inconclusive: speedup: wide"):
        made(tmp_path, "pass").check(RESULT)
    with pytest.raises(pytest.skip.Exception, match="inconclusive: speedup: wide"):
        made(tmp_path, "skip").check(RESULT)


def test_what_is_not_recorded_fails_with_the_reason(tmp_path, monkeypatch):
    """Else a gate would have nothing to judge by, and nobody knew."""
    monkeypatch.setattr(stored, "measured", lambda *_: None)
    monkeypatch.setattr(stored, "recorded", lambda *_: SimpleNamespace(skipped=("speedup: suspect",)))
    found = said(lambda: made(tmp_path, records=True).check(RESULT))
    assert "tradeoff: not recorded: speedup: suspect" == found
    monkeypatch.setattr(stored, "recorded", lambda *_: SimpleNamespace(skipped=(), notes=()))
    made(tmp_path, records=True).check(RESULT)


def test_each_check_of_a_test_has_its_own_name(tmp_path, monkeypatch):
    """Else the second would be judged by what the first had stored."""
    cells = []
    monkeypatch.setattr(stored, "measured", lambda cell, _: cells.append(cell))
    monkeypatch.setattr(stored, "judged", lambda *_: [SimpleNamespace(kind=VerdictKind.PASS)])
    one = made(tmp_path)
    one.check(RESULT)
    one.check(RESULT, name="large")
    assert "a second check() in one test needs a name" in said(lambda: one.check(RESULT, name="large"))
    assert ["candidate", "candidate:large"] == [cell.technique for cell in cells]


def test_a_check_looks_at_the_outputs_too(tmp_path, monkeypatch):
    """A candidate that answers nothing of the kind is as fast as one likes."""
    monkeypatch.setattr(stored, "measured", lambda *_: None)
    monkeypatch.setattr(stored, "judged", lambda *_: [SimpleNamespace(kind=VerdictKind.PASS)])
    wrong = SimpleNamespace(device="cpu", outputs=AnswersApart(difference=0.5))
    assert "outputs differ by 0.5 of the largest, at most 0.001 wanted" in said(lambda: made(tmp_path).check(wrong))
    made(tmp_path).check(wrong, outputs=0.6)
    made(tmp_path).check(wrong, outputs=None)


@pytest.mark.parametrize("records", [False, True])
def test_outside_of_a_quiet_process_the_command_that_starts_one_is_told(tmp_path, monkeypatch, records):
    """For these tests it is not the bench's."""
    monkeypatch.delenv("SUITE_QUIET", raising=False)
    verdict = SimpleNamespace(kind=VerdictKind.INCONCLUSIVE, metric="speedup", reason="unquiet", code=Reason.NOT_QUIET)
    monkeypatch.setattr(stored, "measured", lambda *_: None)
    monkeypatch.setattr(stored, "judged", lambda *_: [verdict])
    monkeypatch.setattr(stored, "recorded", lambda *_: SimpleNamespace(skipped=("use suite bench",), notes=()))
    found = said(lambda: made(tmp_path, records=records).check(RESULT))
    assert found.endswith("; run it with: suite pytest test_a.py::test_b" + " --tradeoff-record" * records)


def test_a_suite_whose_functions_were_replaced_decides_nothing(tmp_path, monkeypatch):
    """As by a fixture of the user's."""
    monkeypatch.undo()
    monkeypatch.delenv(fixture.WORKER, raising=False)
    monkeypatch.setattr(integrity, "_constants", {"suite": {}})
    monkeypatch.setattr(comparing, "compare", lambda **_: RESULT)
    assert "comparing.compare has been replaced by" in said(lambda: made(tmp_path).compare(baseline=int, candidate=int))


@pytest.mark.parametrize("seconds", [float("nan"), 0.0, -1.0])
def test_a_budget_that_is_none_is_refused_before_anything_is_collected(seconds):
    """It is an option of the whole run."""
    option = SimpleNamespace(tradeoff_seconds=seconds, tradeoff_save=None, tradeoff_compare=None)
    with pytest.raises(pytest.UsageError, match="--tradeoff-seconds must be a positive number"):
        fixture.pytest_configure(SimpleNamespace(option=option))
