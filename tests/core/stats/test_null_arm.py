"""What a run's null arms say: about 1 they are trusted, off it or scattered nothing timed counts."""
# the expected value stands on the left

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from suite.core.metrics import measured
from suite.core.records import Cell
from suite.core.stats.null_arm import (
    LEAST,
    LEAST_ARMS,
    MOST_SPREAD,
    arm_doubt,
    line,
    lines,
    null_ratios,
    run_doubt,
    same_work_ratios,
    spread_of,
)

CELL = Cell(workload="digits_cnn", technique="baseline", device="cpu")


def around(middle, spread, count=100):
    return list(np.random.default_rng(0).normal(middle, spread, count))


def test_null_arms_about_one_cast_no_doubt():
    """Single samples stray by half a percent, and one by a fifth: the run is sound, that sample has its own doubts."""
    assert "" == run_doubt([*around(1.0, 0.005), 1.2])


@pytest.mark.parametrize("middle", [0.98, 1.02])
def test_null_arms_off_one_are_biased(middle):
    """Two percent to one side, whichever."""
    assert f"biased: the baseline against its own copy is {middle}" in run_doubt(around(middle, 0.003))
    assert "in the median of 100 samples" in run_doubt(around(middle, 0.003))


def test_null_arms_that_scatter_are_too_wide():
    """Five percent about 1: nothing of less than that can be told."""
    assert "spread too widely" in run_doubt(around(1.0, 0.05))


def test_a_few_null_arms_tell_nothing_of_a_run():
    """Below the size that holds an interval even all-wrong ones are a sample's own affair."""
    assert "" == run_doubt([1.1] * (LEAST - 1))
    assert "biased" in run_doubt([1.1] * LEAST)


@given(st.floats(0.9, 1.1), st.floats(0.001, 0.02))
def test_the_spread_is_that_of_normal_values(middle, spread):
    """The median absolute deviation, scaled: within a fifth of the standard deviation for a hundred values."""
    assert pytest.approx(spread, rel=0.3) == spread_of(around(middle, spread))


@given(st.floats(0.96, 1.04))
def test_a_doubt_about_bias_grows_with_the_bias(middle):
    """What is doubted stays doubted further away from 1, on the same side."""
    ratios = around(middle, 0.003)
    further = [ratio + np.sign(middle - 1) * 0.01 for ratio in ratios]
    assert run_doubt(further) or not run_doubt(ratios)


def test_a_sample_counts_once_however_many_ratios_it_brought():
    """Against the baseline and against channels_last: one null arm; other cells and samples are others."""
    two = [
        measured(CELL, "speedup", 2.0, samples="inference", control="baseline", null=1.01),
        measured(CELL, "speedup_vs_channels_last", 1.5, samples="inference", control="channels_last", null=1.01),
        measured(CELL, "speedup_b1", 1.0, samples="inference_b1", control="baseline", null=0.99),
        measured(CELL, "parameters", 3),
        measured(CELL, "train_step_speedup", 1.0, samples="training", null=float("nan")),
    ]
    assert [1.01, 0.99] == null_ratios(two)


def test_the_line_says_how_many_samples_and_how_wide():
    """Nothing where nothing was timed."""
    assert "" == line([])
    assert "null arm: the baseline against its own copy is 1.0000 in the median of 1 sample, spread 0.00%" == line(
        [1.0]
    )
    assert MOST_SPREAD > spread_of([1.0, 1.01])


# -- arms that do the same work ----------------------------------------------------------------------------------


def test_a_run_whose_techniques_with_the_baselines_work_are_all_slower_is_doubted():
    """Ten ratios of 0.971 to 0.993: what an arm with twice as many turns as the technique brings about."""
    biased = [0.982, 0.971, 0.985, 0.993, 0.980, 0.978, 0.984, 0.990, 0.975, 0.986]
    assert "arms are not timed alike: speedup_b1 of 10 cells" in arm_doubt({"speedup": [1.0] * 5, "speedup_b1": biased})


def test_ratios_about_one_cast_no_doubt_and_one_slow_technique_does_not_either():
    assert "" == arm_doubt({"speedup": [1.001, 0.997, 1.004, 0.999, 1.002, 1.0], "speedup_b1": around(1.0, 0.004, 30)})
    assert "" == arm_doubt({"speedup": [0.5, *around(1.0, 0.003, 20)]})


def test_too_few_arms_tell_nothing():
    assert "" == arm_doubt({"speedup": [0.9] * (LEAST_ARMS - 1)})
    assert arm_doubt({"speedup": [0.9] * LEAST_ARMS})


def test_a_bias_below_the_limit_is_no_doubt_however_well_it_is_known():
    assert "" == arm_doubt({"speedup": around(1.0015, 0.0001, 200)})
    assert arm_doubt({"speedup": around(1.0025, 0.0001, 200)})


def cell(number):
    return Cell(workload="digits_cnn", technique=f"technique_{number}", device="cpu")


def arm(number, value, *, same_work=True):
    return replace(measured(cell(number), "speedup", value, null=1.0), same_work=same_work)


def test_only_ratios_of_the_same_work_are_compared_with_one_and_a_repeat_replaces_its_first():
    found = [arm(0, 0.99), arm(1, 2.0, same_work=False), arm(2, 1.01), arm(0, 1.0)]
    assert {"speedup": [1.0, 1.01]} == same_work_ratios(found)


def test_an_arm_that_took_no_time_at_all_is_left_out():
    assert {"speedup": [1.0]} == same_work_ratios([arm(0, 1.0), arm(1, 0.0), arm(2, float("inf"))])


def test_one_odd_technique_hides_no_bias_of_the_others():
    """The mean is trimmed: with the odd one the interval would hold 1."""
    assert arm_doubt({"speedup": [1.5, *around(0.985, 0.002, 15)]})


def test_the_end_of_a_run_tells_all_null_arms_and_each_metric():
    found = [arm(number, 1.0) for number in range(LEAST_ARMS)]
    found += [replace(one, metric="speedup_b1", null=1.1) for one in found]
    told = lines(found)
    assert "null arm: the baseline against its own copy is 1.0500 in the median of 8 samples, spread 7.41%" == told[0]
    assert "is 1.0000 in the mean; speedup_b1 of 4 cells" in told[1]
    assert "in the median of 2 samples" in line([1.0, 1.1])


def test_the_end_of_a_run_tells_both():
    found = [arm(number, 1.0) for number in range(LEAST_ARMS)]
    assert 2 == len(lines(found))
    assert "same work: speedup of 4 cells with the baseline's architecture is 1.0000 in the mean" == lines(found)[1]
    assert [] == lines([])
