"""What must not become an expectation: biased runs, ratios from too few processes."""
# the expected value stands on the left

from __future__ import annotations

from dataclasses import replace

import pytest
from expect_samples import CELL, measurement, run_header

from suite.gate import Storing, load_all, record

BASE = replace(CELL, technique="baseline")
SPEED = measurement("speedup", 2.24, low=2.2, high=2.3, noise=0.0075, processes=5)
TIMES = (SPEED, measurement("latency_p50", 0.01), measurement("train_seconds", 5.0))
REST = (measurement("parameters", 100.0), measurement("accuracy", 0.97), measurement("peak_memory_inference", 1000.0))


def null(low, high, **changes):
    value = (low + high) / 2
    return measurement("speedup", value, low=low, high=high, cell=BASE, processes=5, noise=0.001, **changes)


def go(folder, *measured, only=(), **how):
    return record(measured, header=run_header(), directory=folder, only=only, how=Storing(**how))


@pytest.mark.parametrize(("low", "high"), [(1.021, 1.09), (0.5, 0.979)])
def test_a_run_whose_baseline_differs_from_its_own_copy_records_no_timing(tmp_path, low, high):
    """The copy shows the run's own error; counts, bytes and quality do not suffer from it."""
    done = go(tmp_path, null(low, high), *TIMES, *REST)
    assert {measured.metric for measured in REST} == {entry.metric for entry in load_all(tmp_path)}
    assert [True] * 4 == ["the run's own error: the baseline against its copy is" in one.reason for one in done.skipped]
    assert f"[{low:.4g}, {high:.4g}], outside 0.98 to 1.02; run it again on a quieter machine" in str(done.skipped[0])


@pytest.mark.parametrize(("low", "high"), [(0.99, 1.01), (1.015, 1.09), (0.5, 0.985), (0.9, 1.1)])
def test_a_copy_whose_interval_reaches_the_tolerance_records_all(tmp_path, low, high):
    """Only what lies wholly outside proves a bias."""
    assert 7 == go(tmp_path, null(low, high), *TIMES, *REST).added


def test_the_copy_speaks_for_its_own_workload_and_device_only(tmp_path):
    """Other cells were measured at another time, or elsewhere."""
    elsewhere = null(1.1, 1.2, conditions={"batch": 1})
    wine = replace(elsewhere, cell=replace(BASE, workload="wine"))
    gpu = replace(elsewhere, cell=replace(BASE, device="cuda"))
    assert 3 == go(tmp_path, wine, gpu, *TIMES).added


def test_the_copy_counts_even_where_only_another_technique_is_recorded(tmp_path):
    """A choice of what to record does not hide the run's error."""
    assert 0 == go(tmp_path, null(1.1, 1.2), SPEED, only=(CELL.technique,)).added


def test_a_ratio_from_fewer_than_three_processes_is_not_recorded(tmp_path):
    """Its noise is not known; absolute figures have wide bounds anyway."""
    done = go(tmp_path, replace(SPEED, processes=2), *TIMES[1:], *REST)
    assert (5, 1) == (done.added, len(done.skipped))
    wanted = (
        "a ratio from 2 processes, fewer than 3, whose noise is not known; "
        "run it with --expect=record and without --quick, or with --processes 5"
    )
    assert f"{CELL} speedup: {wanted}" == str(done.skipped[0])


def test_a_single_process_is_recorded_on_request_with_wide_bounds_and_a_note(tmp_path):
    """A quick look is better than none, as long as it says so."""
    done = go(tmp_path, replace(SPEED, value=2.0, processes=1, noise=None), single=True)
    (entry,) = load_all(tmp_path)
    assert entry.low < 1.9
    wanted = "1 ratios from fewer than 3 processes: their bounds are at least 5% away"
    assert done.notes[0].startswith(wanted)
    assert () == go(tmp_path, *REST, single=True).notes
