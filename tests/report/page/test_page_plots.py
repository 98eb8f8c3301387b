"""What plots draw: sweeps, rounds of timings, histories; thinned where there are many."""
# the expected value stands on the left

from dataclasses import replace

import numpy as np
import page_samples
import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import RUN, figures, measured

from suite.core.records import VerdictKind
from suite.report.history.file import path_of, remember
from suite.report.page.history_plots import history_plots
from suite.report.page.plot_values import thinned
from suite.report.page.ratio_plots import MOST_ROUNDS, MOST_TIMINGS, ratio_plots
from suite.report.page.run_content import RunContent
from suite.report.page.sweep_plots import sweep_plots


@given(st.lists(st.integers(), max_size=60), st.integers(2, 20))
def test_thinning_keeps_the_ends_and_the_order(values, most):
    """And everything of what is few."""
    kept = thinned(values, most)
    assert min(len(values), most) == len(kept)
    assert values[:1] + values[-1:] == kept[:1] + kept[-1:]
    places = iter(values)
    assert all(value in places for value in kept)  # in the order in which they were


def timed(technique, value, *, folder=None, rounds=100, **details):
    found = replace(measured(technique, "speedup", value), samples=f"{technique}-inference", **details)
    if folder is not None:
        seconds = {"seconds_baseline": np.full(rounds, 2.0 * value), "seconds_technique": np.full(rounds, 2.0)}
        folder.write_samples(found.samples, seconds)
    return found


def test_rounds_are_baseline_seconds_over_technique_seconds(tmp_path):
    found = timed("compiled", 1.5)
    stored = page_samples.expected(found, value=1.6, low=1.4)
    verdict = page_samples.judged(found, VerdictKind.PASS, expectation=stored, detectable=0.05)
    folder = page_samples.write_run(tmp_path, [found], verdicts=[verdict])
    timed("compiled", 1.5, folder=folder, rounds=1000)
    (plot,) = ratio_plots([RunContent.read(folder)])["plots"]
    assert MOST_ROUNDS == len(plot["rounds"])
    assert {1.5} == set(plot["rounds"])
    assert (1000, 1.4, pytest.approx(1.52)) == (plot["count"], plot["bound"], plot["detectable"])


def test_a_timing_whose_samples_are_gone_is_left_out(tmp_path):
    """A folder may have been copied without them."""
    found = ratio_plots([RunContent.read(page_samples.write_run(tmp_path, [timed("compiled", 1.5)]))])
    assert {"plots": [], "all": 1} == found


def test_timings_that_need_attention_are_drawn_first(tmp_path):
    """And no more than fit."""
    found = [timed(f"t{k}", 1.0 + k) for k in range(MOST_TIMINGS + 5)]
    verdicts = [page_samples.judged(one) for one in found[:-1]]
    verdicts.append(page_samples.judged(found[-1], VerdictKind.REGRESSED))
    folder = page_samples.write_run(tmp_path, found, verdicts=verdicts)
    for k in range(len(found)):
        timed(f"t{k}", 1.0 + k, folder=folder, rounds=3)
    drawn = ratio_plots([RunContent.read(folder)])
    assert "regressed" == drawn["plots"][0]["verdict"]
    assert (MOST_TIMINGS, MOST_TIMINGS + 5) == (len(drawn["plots"]), drawn["all"])


def test_a_sweep_has_its_values_and_intervals_in_order(tmp_path):
    swept = [
        one
        for ratio in (0.75, 0.25, 0.5)
        for one in figures(f"prune(ratio={ratio})", accuracy=(1 - ratio, 0.9 - ratio, 1.1 - ratio), speedup=1 + ratio)
    ]
    (plot,) = sweep_plots([RunContent.read(page_samples.write_run(tmp_path, swept))])["plots"]
    assert [0.25, 0.5, 0.75] == plot["at"]
    assert [0.75, 0.5, 0.25] == plot["score"][0]
    assert [1.25, 1.5, 1.75] == plot["speedup"][0]
    assert [None] * 3 == plot["speedup"][1]


def test_a_history_has_the_runs_in_the_order_of_their_start(tmp_path):
    """And marks those from which on a value differs."""
    reports = tmp_path / "reports"
    for day in (24, 23, 25):
        folder = page_samples.write_run(reports, RUN, run=f"run-{day}", started=f"2026-11-{day}T00:00:00+00:00")
        remember(folder, reports)
    assert path_of(reports, "cpu-x86_64-test-2c").is_file()
    key = ("run-25", RUN[0].cell, "accuracy")
    found = history_plots([RunContent.read(folder)], {("cpu-x86_64-test-2c", key)})
    plot = next(one for one in found["plots"] if one["name"] == "digits_cnn baseline accuracy")
    assert ["2026-11-23", "2026-11-24", "2026-11-25"] == [started[:10] for started in plot["started"]]
    assert ["2026-11-25T00:00:00+00:00"] == plot["changes"]


def test_a_run_without_history_draws_none(tmp_path):
    assert {"plots": [], "all": 0} == history_plots([RunContent.read(page_samples.small(tmp_path))])
