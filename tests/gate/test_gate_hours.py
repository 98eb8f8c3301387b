"""How runs differ from hour to hour: what is known before a machine has several, and how that fades."""
# the expected value stands on the left

from __future__ import annotations

import csv
import math
from collections import Counter
from pathlib import Path

import pytest
from expect_samples import CELL, MACHINE, TODAY, UNTIMED, expectation, here, measurement
from hours_fit import fitted
from hypothesis import given
from hypothesis import strategies as st

from suite.core.records import Cell
from suite.gate.drift import with_run
from suite.gate.hours import MOST, PRIORS, prior, reach, spread
from suite.gate.judge import judge
from suite.gate.recording.machines import expectation as recorded

NOISES = st.none() | st.floats(0, 0.2)
RATIO = st.floats(0.2, 5)


@pytest.mark.parametrize("metric", sorted(set(PRIORS) - {"speed_vs_kernel"}))
@pytest.mark.parametrize("near", [True, False])
def test_the_shipped_priors_are_those_of_the_stored_ratios(metric, near):
    """Two digits of what maximum likelihood says."""
    shipped, found = PRIORS[metric][0 if near else 1], fitted(metric, near=near)
    assert pytest.approx(found.deviation, rel=0.1) == shipped.deviation
    assert pytest.approx(max(2.0, found.freedom), rel=0.1) == shipped.freedom


def first_gate():
    """33 ratios of a recording in three processes, and of the gate 17 minutes later: same code, quiet machine."""
    with (Path(__file__).parent / "first_gate.csv").open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_the_first_gate_after_the_first_recording_passes():
    """Ratios had moved by up to 17 %: with the processes' noise alone 10 of 33 were inconclusive, exit code 10."""
    rows, kinds = first_gate(), Counter()
    for row in rows:
        cell = Cell(workload="digits_cnn", technique=row["technique"], device="cpu")
        one = measurement(
            row["metric"], float(row["recorded"]), cell=cell, noise=float(row["noise"]), processes=int(row["processes"])
        )
        entry = recorded(one, None, here(), at="2026-11-29T10:42")
        low, high = float(row["low"]), float(row["high"])
        gate = measurement(row["metric"], float(row["value"]), cell=cell, low=low, high=high, n=int(row["rounds"]))
        kinds[judge(gate, entry, quiet=True, today=TODAY, timings=len(rows)).kind.value] += 1
    assert {"pass": 31, "inconclusive": 2} == kinds
    assert kinds["inconclusive"] < len(rows) / 5  # beyond which a gate ends with 10


def test_a_ratio_near_one_is_known_better_than_others():
    """A network with the baseline's own work is slowed by the same things."""
    for metric in ("speedup", "speedup_b1", "speedup_vs_channels_last", "train_step_speedup", "speedup_saturated"):
        assert reach(metric, [1.0], 0.003, 5) < reach(metric, [2.0], 0.003, 5)
    assert prior("speedup", 2.0) == prior("speedup_saturated", 2.0)


@UNTIMED
@given(st.sampled_from(sorted(PRIORS)), RATIO, st.integers(2, 12))
def test_what_is_known_of_other_machines_fades_as_runs_are_added(metric, value, runs):
    """Runs that agree sharpen the bound each time, and their own spread comes to count most."""
    before, after = (reach(metric, [value] * count, 0.002, 5) for count in (runs, runs + 1))
    assert after <= before
    assert spread(metric, [value] * 200, 0.002, 5).deviation < prior(metric, value).deviation


@UNTIMED
@given(st.sampled_from(sorted(PRIORS)), st.lists(RATIO, min_size=1, max_size=6), NOISES, st.integers(1, 7))
def test_a_bound_never_gives_away_more_than_half_for_what_is_not_known(metric, runs, noise, processes):
    """A ratio that halves has regressed."""
    assert 0 < reach(metric, runs, noise, processes) <= MOST


def test_the_spread_is_pooled_by_degrees_of_freedom():
    """2.3 of the prior, 4 of five processes, 2 of three runs."""
    known = spread("speedup", [1.9, 2.0, 2.1], 0.01, 5)
    assert pytest.approx(8.3) == known.freedom
    assert pytest.approx(math.sqrt((2.3 * 0.023**2 + 4 * 0.01**2 + 2 * 0.05**2) / 8.3)) == known.deviation
    assert pytest.approx(2.3) == spread("speedup", [2.0], 0.01, 2).freedom  # two processes say next to nothing


GATE = measurement("speedup", 2.0, low=1.99, high=2.01, conditions={"batch": 64, "threads": 1})


def test_gates_that_agree_sharpen_a_bound_that_recording_computed():
    """With every run that `--drift` adds, until the noise of the processes decides."""
    first = measurement("speedup", 2.0, noise=0.005, processes=5, conditions={"batch": 64, "threads": 1})
    entry = recorded(first, None, here(), at="2026-11-23T10:00")
    lows = [entry.low]
    for hour in range(6):
        entry = with_run(entry, GATE, f"2026-11-24T{hour:02}:00")
        lows.append(entry.low)
    assert sorted(lows) == lows
    assert lows[0] < 1.9 < lows[-1] <= 1.96


def test_a_bound_that_was_edited_by_hand_is_only_widened():
    """Who wrote 1.5 meant it."""
    stored = expectation("speedup", 2.0, level=MACHINE, low=1.5, noise=0.005, processes=5, seen={"2026-11-23": 2.0})
    assert 1.5 == with_run(stored, GATE, "2026-11-24T10:00").low
    assert CELL.technique == stored.technique
