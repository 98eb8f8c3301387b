"""A run within minutes: whole cells by priority, those left out by name, and no new cell once the time is spent."""
# the expected value stands on the left

from dataclasses import replace
from types import SimpleNamespace

import pytest
import tiny

from suite.bench import time_budget
from suite.bench.estimate import Estimate
from suite.bench.options import Options
from suite.bench.pipeline import limit
from suite.bench.run import Run
from suite.bench.time_budget import Budget
from suite.core.errors import SetupError
from suite.core.metrics import measured
from suite.core.records import GROUPS, Duration, RunHeader, Where
from suite.report.results.folder import RunFolder

REGISTRY = tiny.registry()
CASES = [tiny.case_of(REGISTRY, name) for name in ("baseline", "nhwc", "wrapped")]
BASELINE, NHWC, WRAPPED = CASES
FOUND = {
    BASELINE: Estimate(seconds=60.0, day="2026-11-24"),
    NHWC: Estimate(seconds=180.0, day="2026-11-24"),
    WRAPPED: Estimate(seconds=30.0),
}
HEADER = RunHeader(
    run="r", started="2026-11-24T15:04:05+00:00", command="suite bench", commit=None, seeds=(0,), profile="quick",
    where=Where(machine="m", family="f", device="cpu", threads=1), quiet=True,
)  # fmt: skip


@pytest.fixture
def clock(monkeypatch):
    """The seconds that have passed, to be set."""
    now = SimpleNamespace(seconds=0.0)
    monkeypatch.setattr(time_budget.phases, "elapsed", lambda: now.seconds)
    return now


def test_without_minutes_every_cell_is_measured_and_the_time_is_said(clock):
    """However long it takes."""
    found = Budget(seconds=None, found=FOUND)
    clock.seconds = 1e6
    assert all(found.starts(case) for case in CASES)
    assert ["3 cells: about 4.5 min by the run of 2026-11-24; 1 of them has no history and is guessed"] == found.lines()


def test_cells_that_do_not_fit_are_named_with_what_they_would_take():
    """The forecast is that of the others."""
    first, second = Budget(seconds=120.0, found=FOUND).lines()
    assert first.startswith("2 cells: about 1.5 min")
    assert "--max-minutes 2: 1 of 3 cells is left out, so the run is partial: halves-nhwc-cpu (about 3.0 min)" == second


def test_no_cell_begins_once_the_minutes_are_spent(clock):
    """One that has begun is measured whole."""
    found = Budget(seconds=300.0, found=FOUND)
    assert found.starts(BASELINE)
    clock.seconds = 301.0
    assert found.starts(BASELINE)
    assert not found.starts(NHWC)
    clock.seconds = 0.0
    assert not found.starts(NHWC)
    assert {NHWC: time_budget.SPENT} == found.left


def test_minutes_that_hold_no_cell_are_an_error_with_the_shortest():
    """A run of nothing would gate nothing."""
    with pytest.raises(SetupError, match=r"no cell fits into 20 s: the shortest takes about 30 s"):
        Budget(seconds=20.0, found=FOUND)


@pytest.mark.parametrize("options", [{"max_minutes": 0.0}, {"max_minutes": -1.0}, {"max_minutes": float("nan")}])
def test_minutes_must_be_some(options):
    with pytest.raises(SetupError, match="must be above 0"):
        time_budget.check(Options(**options))


def test_recording_takes_no_minutes():
    """Old figures would stay beside new ones."""
    with pytest.raises(SetupError, match="partial run records nothing"):
        time_budget.check(Options(max_minutes=5.0, expect="record"))
    time_budget.check(Options(expect="record"))
    time_budget.check(Options(max_minutes=5.0))


def run(tmp_path, **options):
    """A session as far as a plan looks at it, after a run that took a second for each group of the first two cells."""
    before = RunFolder.create(tmp_path, replace(HEADER, run="before"))
    before.append(*(Duration(cell=case.cell, group=group, seconds=1.0) for case in CASES[:2] for group in GROUPS))
    return SimpleNamespace(
        options=Options(reports_dir=tmp_path, **options), header=HEADER, folder=RunFolder.create(tmp_path, HEADER),
        planned=dict.fromkeys(CASES, GROUPS), budget=None,
    )  # fmt: skip


ALL = {(case, group) for case in CASES for group in GROUPS}


def test_the_plan_is_by_what_lies_in_the_reports(tmp_path):
    """The cell without history is guessed like its neighbours."""
    found = time_budget.plan(run(tmp_path), ALL)
    assert [4.0, 4.0, 4.0] == [one.seconds for one in found.found.values()]
    assert ["2026-11-24", "2026-11-24", ""] == [one.day for one in found.found.values()]


def test_cells_that_were_deselected_are_no_part_of_the_plan(tmp_path):
    """-k left one group of one cell."""
    found = time_budget.plan(run(tmp_path), {(NHWC, "speed")})
    assert [NHWC] == list(found.found)


def test_what_a_resumed_run_measured_takes_no_time(tmp_path):
    """Its size is there; the rest of the cell takes what it took at most."""
    resumed = run(tmp_path, resume=tmp_path / "r")
    resumed.folder.append(measured(BASELINE.cell, "parameters", 3))
    collected = {(BASELINE, "size"), (NHWC, "size")}
    assert [0.0, 4.0] == [one.seconds for one in time_budget.plan(resumed, collected).found.values()]


@pytest.mark.parametrize(("expected", "max_minutes"), [(True, 0.1), (False, 10.0), (False, None)])
def test_a_run_that_leaves_cells_out_is_partial_and_a_whole_one_is_not(tmp_path, expected, max_minutes):
    """Minutes that hold everything change nothing about a gate."""
    planned = run(tmp_path, max_minutes=max_minutes)
    budget = time_budget.plan(planned, ALL)
    assert expected is bool(budget.left)
    made = Run(**vars(planned), bench=None, store=None)
    assert made.partial is False
    limit(made, budget)
    assert expected is made.partial
