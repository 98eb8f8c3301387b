"""What `suite trend` tells: flagged changes with run and commit, flat series counted, flags on equal code balanced."""
# the expected value stands on the left

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from suite.analysis.trend.trend import BARS, lines, runs_of, sparkline, to_csv
from suite.analysis.trend.trend import series_of as of_runs
from suite.core.records import Cell
from suite.report.history.entries import HistoryEntry

pytest.importorskip("ruptures")
CELL = Cell(workload="digits_cnn", technique="static_int8", device="cpu")


def series_of(entries, **wanted):
    return of_runs(runs_of(entries, **wanted))


def history(values, *, metric="speedup", commits=None, **more):
    commits = commits or ["abc"] * len(values)
    return [
        HistoryEntry(
            run=f"run-{k:02}", started=f"2026-11-{k + 1:02}T10:00:00+00:00", commit=commits[k],
            dirty=False, versions={"torch": "2.15.0"}, profile="default", quiet=True, threads=1, metric=metric,
            value=float(value), unit="1", better="higher", **{"cell": CELL, "conditions": {"batch": 64}, **more},
        )
        for k, value in enumerate(values)
    ]  # fmt: skip


def step(size=-0.5, n=20, at=12, seed=0):
    return np.random.default_rng(seed).normal(3.0, 0.02, n) + size * (np.arange(n) >= at)


def test_a_change_is_told_with_its_run_its_commit_how_much_and_how_sure():
    """The first run that has it, and the code of that run."""
    found = series_of(history(step(), commits=["old"] * 12 + ["new"] * 8))
    told = "\n".join(lines(found))
    assert "digits_cnn static_int8 cpu speedup (batch 64): " in told
    assert "worse by 17.0%" in told
    assert "since run-12 (commit new): 3" in told
    assert "0 of 1 series show no change" in told
    assert "unchanged code" not in told


def test_flat_series_are_counted_and_not_shown():
    """Noise alone: one line in all."""
    found = series_of(history(np.random.default_rng(1).normal(1, 0.01, 20)))
    (line,) = lines(found)
    assert line.startswith("1 of 1 series show no change that shuffled runs would not")


def test_flags_on_unchanged_code_that_all_go_one_way_are_said_not_to_balance():
    """Eight metrics that all fell between two runs of the same commit: the machine, not the code."""
    entries = [entry for k in range(8) for entry in history(step(seed=k, n=24), metric=f"speedup_{k}")]
    told = lines(series_of(entries))[-1]
    assert "on unchanged code 0 changes for the better and 8 for the worse: they do not balance" in told


def test_flags_on_unchanged_code_both_ways_balance():
    """Four up, four down."""
    entries = [e for k in range(8) for e in history(step(0.5 * (-1) ** k, seed=k, n=24), metric=f"speedup_{k}")]
    assert "4 changes for the better and 4 for the worse: they balance (p = 1)" in lines(series_of(entries))[-1]


def test_figures_that_cannot_be_trusted_or_are_of_other_conditions_are_no_part_of_a_series():
    """Suspect ones and those of an unquiet process are left out; another batch is another series."""
    values = step()
    entries = history(values)
    bad = [replace(entries[0], suspect="preempted", value=0.1), replace(entries[1], quiet=False, value=0.1)]
    (one,) = series_of([*entries, *bad])
    assert 20 == len(one.entries)
    other = history(values, conditions={"batch": 1})
    assert 2 == len(series_of([*entries, *other]))


@pytest.mark.parametrize("other", [{"seeds": 5}, {"processes": 5}, {"data": "d2"}, {"seeds": None, "data": None}])
def test_other_seeds_processes_or_data_are_no_change_of_the_code(other):
    """Runs of five seeds after those of one, or a replaced data set: another series, as are lines that know of none."""
    entries = history(step(), seeds=1, processes=1, data="d1")
    later = [replace(entry, **other) for entry in entries[12:]]
    found = series_of([*entries[:12], *later])
    assert [12, 8] == [len(one.entries) for one in found]
    assert not any(one.flagged for one in found)


def test_a_change_is_flagged_among_many_series():
    """One step among 120 series of noise and as many counts that never vary."""
    entries = [e for k in range(120) for e in history(step(0.0, seed=k), metric=f"speedup_{k}")]
    entries += [e for k in range(120) for e in history(np.ones(20), metric=f"macs_{k}")]
    assert [] == [one for one in series_of(entries) if one.flagged]
    (one,) = [one for one in series_of([*entries, *history(step(at=10))]) if one.flagged]
    assert "speedup" == one.entries[0].metric


@pytest.mark.parametrize(
    ("asked", "count"),
    [({"metric": "speed"}, 1), ({"metric": "macs"}, 0), ({"technique": "int8"}, 1), ({"workload": "other"}, 0),
     ({"since": "2026-11-10"}, 1), ({"since": "2026-12"}, 0)],
)  # fmt: skip
def test_what_is_asked_for_is_chosen(asked, count):
    """By workload, parts of names, and time; with too few runs left there is no series."""
    assert count == len(series_of(history(step()), **asked))


def test_the_csv_has_a_row_for_each_change_and_for_each_series_without():
    """For a spreadsheet."""
    entries = history(step()) + history(np.ones(20), metric="macs")
    rows = to_csv(series_of(entries)).splitlines()
    assert rows[0].startswith("workload,technique,device,metric,conditions,runs")
    assert 3 == len(rows)
    assert "speedup,batch=64,20," in rows[1]
    assert rows[1].endswith(",worse")


def test_an_empty_history_says_how_to_keep_one():
    """And nothing else."""
    (line,) = lines([])
    assert "suite bench --history" in line


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50))
def test_a_sparkline_has_a_bar_for_each_run(values):
    """The least is the lowest, the greatest the highest bar."""
    drawn = sparkline(values)
    assert len(values) == len(drawn)
    if max(values) > min(values):
        assert (BARS[0], BARS[-1]) == (drawn[values.index(min(values))], drawn[values.index(max(values))])
