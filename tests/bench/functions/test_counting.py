"""The work of two functions, counted instead of timed: what is found, judged, recorded and refused."""
# the expected value stands on the left

import inspect

import pytest
import torch

from suite.bench.functions import fixture, stored
from suite.bench.functions.counting import WorkDifference, count
from suite.bench.functions.fixture import TradeoffFixture, TradeoffWarning
from suite.core.errors import UsageError
from suite.core.machine import quiet
from suite.core.records import VerdictKind
from suite.measure.counting.calls import CallCount

X = torch.linspace(-1.0, 1.0, 24).reshape(4, 6)
HERE = "tests/bench/functions/test_counting.py"


def scaled():
    return X.relu() * 2


def copied():
    scores = X.relu() * 2
    return torch.empty_like(scores).copy_(scores)


def line_of(function, text):
    lines, start = inspect.getsourcelines(function)
    return next(start + number for number, line in enumerate(lines) if text in line)


@pytest.fixture(autouse=True)
def _quiet(monkeypatch):
    monkeypatch.setattr(quiet, "is_quiet", lambda *_, **__: (True, ""))


def made(folder, inconclusive="fail", *, records=False):
    return TradeoffFixture(
        nodeid="test_a.py::test_b", folder=folder, seconds=1.0, inconclusive=inconclusive, records=records
    )


def failure(call):
    with pytest.raises(pytest.fail.Exception) as caught:
        call()
    return str(caught.value)


def test_a_planted_copy_is_more_work_with_its_line():
    """The answers are the same."""
    found = count(baseline=scaled, candidate=copied)
    decision = found.work.no_more()
    assert not decision
    line = f"{HERE}:{line_of(copied, 'copy_')}"
    assert f"operators 2 -> 4, +1 aten.copy_, at {line}, +1 aten.empty_like, at {line}" in decision.figure
    assert "allocations 2 -> 3" in decision.figure
    assert found.outputs.close(0)


def test_less_work_and_the_same_work_hold():
    """All counts are told."""
    decision = count(baseline=copied, candidate=scaled).work.no_more()
    assert decision
    assert "operators 4 -> 2" in decision.figure
    assert count(baseline=scaled, candidate=lambda: X.relu() * 2).work.no_more()


def test_a_count_that_does_not_repeat_decides_nothing():
    """The option says what becomes of it."""
    told = []
    doubtful = {"operators": CallCount(value=2, doubt="2 operators in one call and 3 in the next")}
    work = WorkDifference(baseline=doubtful, candidate=doubtful, undecided=lambda said: bool(told.append(said)))
    decision = work.no_more()
    assert (False, True) == (bool(decision), decision.is_open)
    assert ["inconclusive: operators: 2 operators in one call and 3 in the next"] == told


def test_fewer_fused_operators_are_worse_and_a_count_of_one_side_decides_nothing():
    """A function that is compiled now has counts of its own."""
    before, now = {"fused_operators": CallCount(value=3)}, {"fused_operators": CallCount(value=2)}
    assert not WorkDifference(baseline=before, candidate=now).no_more()
    assert WorkDifference(baseline=now, candidate=before).no_more()
    assert "fused_operators - -> 2" == str(WorkDifference(baseline={}, candidate=now))


def test_functions_without_an_operator_of_torch_are_refused():
    """Nothing of them would be counted."""
    with pytest.raises(UsageError, match=r"neither function dispatches an operator of torch.*leave out count=True"):
        count(baseline=lambda: 1.0, candidate=lambda: 2.0)


def test_counts_are_recorded_and_one_operator_more_regresses(tmp_path):
    """Stored where counts of all CPUs are."""
    made(tmp_path, records=True).check(count(baseline=copied, candidate=scaled))
    assert [tmp_path / "any" / "test_a-test_b.toml"] == list(tmp_path.rglob("*.toml"))
    made(tmp_path).check(count(baseline=copied, candidate=scaled))
    said = failure(lambda: made(tmp_path).check(count(baseline=scaled, candidate=copied)))
    assert said.startswith("tradeoff: regressed: operators: 2 -> 4, +2 (+100.0 %), bound 2; +1 aten.copy_, at")
    with pytest.raises(UsageError, match="not recorded, it regresses"):
        stored.recorded(stored.measured(stored.cell_of("test_a.py::test_b"), count(baseline=scaled, candidate=copied)),
                        tmp_path, ["pytest"])  # fmt: skip


def test_a_count_that_is_gone_is_missing(tmp_path):
    """What was recorded of it has no answer."""
    cell = stored.cell_of("test_a.py::test_b")
    measurements = stored.measured(cell, count(baseline=scaled, candidate=scaled))
    stored.recorded(measurements, tmp_path, ["pytest"])
    kinds = {one.metric: one.kind for one in stored.judged(measurements[:-1], tmp_path)}
    assert VerdictKind.MISSING == kinds[measurements[-1].metric]


def test_beside_other_workers_work_is_counted_all_the_same(tmp_path, monkeypatch):
    """No clock runs."""
    monkeypatch.setenv(fixture.WORKER, "gw0")
    result = made(tmp_path).compare(baseline=scaled, candidate=scaled, count=True)
    assert "<operators 2 -> 2; " == repr(result)[:19]


def test_a_budget_of_time_is_refused(tmp_path):
    """Nothing is timed."""
    one = made(tmp_path)
    said = failure(lambda: one.compare(baseline=scaled, candidate=scaled, count=True, seconds=1))
    assert "tradeoff: count=True times nothing; leave out seconds=" == said


def test_what_cannot_be_counted_fails_in_one_line(tmp_path):
    """Without a traceback."""
    said = failure(lambda: made(tmp_path).compare(baseline=lambda: 1.0, candidate=lambda: 1.0, count=True))
    assert said.startswith("tradeoff: neither function dispatches")


def test_random_work_is_inconclusive_and_may_pass(tmp_path):
    """A call that does more every second time."""
    calls = []

    def uneven():
        calls.append(0)
        return X.relu() if len(calls) % 2 else X.relu().relu()

    result = made(tmp_path, "pass").compare(baseline=uneven, candidate=uneven, count=True)
    with pytest.warns(TradeoffWarning, match="the count does not repeat"):
        assert result.work.no_more()
