"""The fixture ``tradeoff``: what fails a test, what decides nothing, and where nothing can be timed."""

from types import SimpleNamespace

import pytest

from suite.bench.functions import comparing, fixture, stored
from suite.bench.functions.answers import AnswersApart
from suite.bench.functions.fixture import TradeoffFixture, TradeoffWarning
from suite.core.errors import ImplausibleError
from suite.core.records import VerdictKind

RESULT = SimpleNamespace(device="cpu", outputs=AnswersApart(difference=0.0))


def made(tmp_path, inconclusive="fail", *, records=False):
    return TradeoffFixture(
        nodeid="test_a.py::test_b", folder=tmp_path, seconds=1.0, inconclusive=inconclusive, records=records
    )


@pytest.fixture(autouse=True)
def _alone(monkeypatch):
    monkeypatch.delenv(fixture.WORKER, raising=False)


def said(call):
    with pytest.raises(pytest.fail.Exception) as caught:
        call()
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
    monkeypatch.setattr(stored, "judged", lambda *_: [SimpleNamespace(kind=kind, metric="speedup", reason=reason)])
    found = said(lambda: made(tmp_path).check(RESULT))
    assert found.startswith(f"tradeoff: {kind}: speedup: {reason}")
    recorded_by = "; record it with: suite pytest test_a.py::test_b --tradeoff-record"
    assert (kind == VerdictKind.UNVERIFIED) == found.endswith(recorded_by)


def test_what_decides_nothing_does_what_the_option_says(tmp_path, monkeypatch):
    """It passes with a warning, or is skipped."""
    verdict = SimpleNamespace(kind=VerdictKind.INCONCLUSIVE, metric="speedup", reason="wide")
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
