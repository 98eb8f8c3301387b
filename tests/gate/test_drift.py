"""What a machine's earlier runs saw stays: bounds of ratios cover all of them, until the code is said to be new."""
# the expected value stands on the left

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from statistics import stdev

import pytest
from expect_samples import MACHINE, TECHNIQUE, UNTIMED, expectation, here, measurement, run_header
from hypothesis import given
from hypothesis import strategies as st

from suite.core.records import Origin
from suite.gate import Storing, load_all, record
from suite.gate.bounds import DRIFT_SIGMAS
from suite.gate.drift import over_time, with_run
from suite.gate.power import too_tight

FIVE = {"processes": 5, "noise": 0.005, "conditions": {"threads": 1, "batch": 64}}
FIRST, SECOND = "2026-11-23T10:00:00Z", "2026-11-24T22:30:00+00:00"
RATIOS = st.floats(0.2, 5)


def ratio(value: float, **changes):
    return measurement("speedup", value, **({"low": value * 0.99, "high": value * 1.01} | FIVE | changes))


def recorded(folder: Path, value: float, started: str, versions: str = "2.15.0", changes=None, **how):
    where = here(versions={"torch": versions})
    done = record(
        [ratio(value, **(changes or {}))],
        header=run_header(started=started, where=where),
        directory=folder,
        how=Storing(**how),
    )
    found = {e.metric: e for e in load_all(folder) if e.level == MACHINE}
    return done, found.get("speedup")


def test_one_run_is_named_by_its_start(tmp_path):
    """So that a later one can be told from it."""
    _, entry = recorded(tmp_path, 1.2, FIRST)
    assert ({"2026-11-23T10:00": 1.2}, 1.2) == (entry.seen, entry.value)


def test_bounds_hold_what_every_run_saw(tmp_path):
    """A quiet hour's narrow noise says nothing of the next hour."""
    recorded(tmp_path, 1.2, FIRST)
    _, entry = recorded(tmp_path, 1.0, SECOND)
    assert {"2026-11-23T10:00": 1.2, "2026-11-24T22:30": 1.0} == entry.seen
    assert 1.1 == entry.value
    assert entry.low < 0.98  # 2 % below the lower one, and beyond that as far as two such hours make likely
    assert pytest.approx(1.1 - DRIFT_SIGMAS * stdev([1.0, 1.2]), abs=1e-3) == entry.low


def test_the_same_run_counts_once(tmp_path):
    """Recording a folder twice changes nothing."""
    recorded(tmp_path, 1.2, FIRST)
    _, first = recorded(tmp_path, 1.0, SECOND)
    done, second = recorded(tmp_path, 1.0, SECOND)
    assert ((), first.seen, first.low, first.noise) == (done.changed, second.seen, second.low, second.noise)


@pytest.mark.parametrize(
    ("first", "second", "pooled"), [(0.003, 0.004, 0.0035355339), (0.004, None, 0.004), (None, 0.004, 0.004)]
)
def test_the_noise_of_two_recordings_is_their_root_mean_square(tmp_path, first, second, pooled):
    """Each comes from few processes: the greater one of many would only grow."""
    recorded(tmp_path, 1.2, FIRST, changes={"noise": first})
    _, entry = recorded(tmp_path, 1.2, SECOND, changes={"noise": second})
    assert pytest.approx(pooled, rel=1e-5) == entry.noise


def test_how_the_noise_has_changed_is_told(tmp_path):
    """Before, in this run, and what is stored now; the first recording has nothing to compare with."""
    first, _ = recorded(tmp_path, 1.2, FIRST, changes={"noise": 0.003})
    second, _ = recorded(tmp_path, 1.2, SECOND, changes={"noise": 0.004})
    assert () == first.notes
    assert (
        "noise of 1 ratios of times, in the median: 0.30% was stored, 0.40% in this run, 0.35% is stored now",
    ) == second.notes


def test_an_entry_from_before_runs_were_named_counts_as_its_day():
    """Files that were written by earlier versions keep their figure."""
    stored = expectation(
        "speedup", 1.2, level=MACHINE, noise=0.01, conditions=FIVE["conditions"],
        origin=Origin(date=date(2026, 11, 20), versions={"torch": "2.15.0"}),
    )  # fmt: skip
    entry = over_time(replace(stored, value=1.1), ratio(1.1), stored, here(), "2026-11-24T22:30")
    assert ["2026-11-20", "2026-11-24T22:30"] == sorted(entry.seen)
    assert pytest.approx(1.15 - DRIFT_SIGMAS * stdev([1.1, 1.2]), abs=1e-3) == entry.low


@pytest.mark.parametrize(
    ("second", "how"),
    [
        ({}, {"anew": True}),
        ({"versions": "2.16.0"}, {}),
        ({"changes": {"conditions": {"threads": 1, "batch": 32}}}, {}),
        ({"changes": {"conditions": {"threads": 2, "batch": 64}}}, {}),
    ],
    ids=["asked for", "other torch", "other batch", "other threads"],
)
def test_earlier_runs_of_other_code_or_conditions_are_forgotten(tmp_path, second, how):
    """What was changed on purpose must not be guarded by its slower past."""
    recorded(tmp_path, 1.0, FIRST)
    _, entry = recorded(tmp_path, 2.0, SECOND, **second, **how)
    assert ({"2026-11-24T22:30": 2.0}, 2.0) == (entry.seen, entry.value)


def test_what_is_no_ratio_of_times_keeps_the_last_run_alone(tmp_path):
    """Memory does not move with the hour."""
    for value, started in ((100, FIRST), (90, SECOND)):
        one = measurement("peak_memory_inference", value)
        record([one], header=run_header(started=started), directory=tmp_path)
    (entry,) = load_all(tmp_path)
    assert (90, {}) == (entry.value, entry.seen)


def test_a_gate_run_can_widen_a_bound(tmp_path):
    """`--drift`: its one process is too few to record from, but what it saw was seen."""
    recorded(tmp_path, 1.2, FIRST)
    done, entry = recorded(tmp_path, 1.1, SECOND, changes={"processes": 1, "noise": None}, drift=True)
    assert (0, 1, ()) == (done.added, done.updated, done.skipped)
    assert (1.15, 5, 0.005) == (entry.value, entry.processes, entry.noise)
    assert pytest.approx(1.15 - DRIFT_SIGMAS * stdev([1.1, 1.2]), abs=1e-3) == entry.low


def test_a_run_that_is_recorded_already_adds_nothing(tmp_path):
    """Its noise is pooled with what was stored; taken as a gate's, the greater one would count."""
    recorded(tmp_path, 1.2, FIRST, changes={"noise": 0.001})
    _, before = recorded(tmp_path, 1.2, SECOND)
    done, after = recorded(tmp_path, 1.2, SECOND, drift=True)
    assert ((), before.noise, before.low) == (done.changed, after.noise, after.low)


def test_a_gate_run_never_sharpens_a_bound(tmp_path):
    """A fast hour is no promise."""
    _, before = recorded(tmp_path, 1.2, FIRST)
    _, entry = recorded(tmp_path, 1.4, SECOND, changes={"processes": 1, "noise": None}, drift=True)
    assert entry.low <= before.low


@pytest.mark.parametrize(
    ("metric", "why"), [("speedup", "has no expectation"), ("parameters", "no ratio of times")], ids=str
)
def test_drift_adds_to_what_is_stored_and_to_nothing_else(tmp_path, metric, why):
    """What it cannot join is said."""
    done = record([measurement(metric, 1.0)], header=run_header(), directory=tmp_path, how=Storing(drift=True))
    assert () == done.changed
    assert why in str(done.skipped[0])


def test_drift_joins_no_figures_of_another_torch(tmp_path):
    """Another version is other code."""
    recorded(tmp_path, 1.2, FIRST)
    done, _ = recorded(tmp_path, 1.1, SECOND, versions="2.16.0", drift=True)
    assert "other conditions or torch" in str(done.skipped[0])


@UNTIMED
@given(values=st.lists(RATIOS, min_size=2, max_size=6), noise=st.floats(0, 0.1))
def test_no_run_that_was_seen_lies_below_the_bound(values, noise):
    """Whatever the order in which the hours came."""
    entry = None
    for hour, value in enumerate(values):
        alone = expectation(
            "speedup", value, level=MACHINE, technique=TECHNIQUE, noise=noise, conditions=FIVE["conditions"], low=value
        )
        entry = over_time(alone, ratio(value, noise=noise), entry, here(), f"2026-11-25T{hour:02}:00")
    assert entry.low <= min(values)
    assert "" == too_tight(entry)
    assert len(values) == len(entry.seen)


@UNTIMED
@given(first=RATIOS, second=RATIOS)
def test_with_run_never_raises_the_bound(first, second):
    """Adding a run can only make room."""
    stored = expectation("speedup", first, level=MACHINE, low=first * 0.98, noise=0.005, processes=5)
    assert with_run(stored, ratio(second), "later").low <= stored.low


def test_a_run_that_the_gate_calls_regressed_widens_nothing(tmp_path):
    """One bad run of 0.5 made `low = -1.185` for ever."""
    recorded(tmp_path, 2.0, FIRST)
    bad = {"processes": 1, "noise": None, "low": 0.49, "high": 0.51}
    done, entry = recorded(tmp_path, 0.5, SECOND, changes=bad, drift=True)
    assert ((), {"2026-11-23T10:00": 2.0}) == (done.changed, entry.seen)
    assert "has regressed, so it does not widen its bound: 2 -> 0.5 [0.49, 0.51], -75.0 %" in str(done.skipped[0])
    assert "`suite record FOLDER --anew` forgets earlier runs" in str(done.skipped[0])
    _, entry = recorded(tmp_path, 0.5, SECOND, anew=True)
    assert {"2026-11-24T22:30": 0.5} == entry.seen


@pytest.mark.parametrize("drift", [True, False])
def test_runs_that_together_leave_no_bound_are_refused(tmp_path, drift):
    """Neither one without an interval, nor a new recording, puts the bound below half of the value."""
    recorded(tmp_path, 2.0, FIRST)
    how = {"processes": 1, "noise": None, "low": None, "high": None} if drift else {}
    done, entry = recorded(tmp_path, 0.5, SECOND, changes=how, drift=drift)
    assert ((), {"2026-11-23T10:00": 2.0}) == (done.changed, entry.seen)
    assert "with this run its bound would be" in str(done.skipped[0]) or "can never be crossed" in done.skipped[0]


def test_a_bound_that_runs_leave_below_half_is_refused_with_the_runs(tmp_path):
    """What is seen of both tells the user which one is wrong."""
    recorded(tmp_path, 2.0, FIRST)
    done, _ = recorded(tmp_path, 1.3, SECOND)
    assert "below half of the value 1.65 (runs: 2, 1.3); if the code changed on purpose" in str(done.skipped[0])
