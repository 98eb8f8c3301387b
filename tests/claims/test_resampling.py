"""Figures drawn again: they vary as those of further runs would, and what has no known spread stays."""
# the expected value stands on the left

import math
from dataclasses import replace
from statistics import fmean, stdev

import numpy as np
import pytest
from claim_samples import measured

from suite.claims.quantities import Quantity, quantile
from suite.claims.resampling import Redraw
from suite.core.stats.intervals import blocked_interval

ROUNDS, BLOCKS = 96, 12


def redraw(seed=0):
    return Redraw(rng=np.random.default_rng(seed))


def nothing(_):
    return None


def rounds(rng, ratio=2.0, block_noise=0.02, noise=0.01):
    """Seconds of two arms: each block of rounds has an error of its own."""
    block = np.repeat(np.arange(BLOCKS), ROUNDS // BLOCKS)
    logs = rng.normal(0, block_noise, BLOCKS)[block] + rng.normal(0, noise, ROUNDS)
    return {
        "seconds_baseline": ratio * np.exp(logs),
        "seconds_technique": np.ones(ROUNDS),
        "block": block.astype(float),
    }


def speedup(columns, **fields):
    ratios = columns["seconds_baseline"] / columns["seconds_technique"]
    low, high = blocked_interval(ratios, columns["block"], 0.99)
    one = measured(float(np.median(ratios)), low, high, n=ROUNDS, samples="raw", control="baseline", **fields)
    return replace(one, confidence=0.99)


def by_seed(values, technique="fast", half=0.0):
    own = quantile(0.95, len(values) - 1) * stdev(values) / math.sqrt(len(values))
    middle, half = fmean(values), half or own
    seeds = tuple(range(len(values)))
    return measured(
        middle, middle - half, middle + half, technique=technique, metric="accuracy_vs_control", seeds=seeds,
        by_seed=tuple(values),
    )  # fmt: skip


def test_a_ratio_varies_as_it_does_over_further_runs():
    """The spread of the medians, by blocks: rounds alone would vary a third as much."""
    rng = np.random.default_rng(1)
    further = [speedup(rounds(rng)).value for _ in range(200)]
    within = []
    for _ in range(10):
        columns = rounds(rng)
        one = speedup(columns)
        within.append(stdev(redraw(seed).of(one, lambda _, own=columns: own).value for seed in range(40)))
    assert stdev(further) == pytest.approx(fmean(within), rel=0.35)


def test_the_interval_of_a_draw_is_the_suites_own():
    """Of the rounds that were drawn, with the blocks that they are in now."""
    columns = rounds(np.random.default_rng(2))
    one = speedup(columns)
    again = redraw().of(one, lambda _: columns)
    assert again.low < again.value < again.high
    assert one.high - one.low == pytest.approx(again.high - again.low, rel=0.7)
    assert again.value != one.value


def test_a_sample_of_few_blocks_is_drawn_round_by_round():
    """As one without blocks is, of an earlier version."""
    columns = rounds(np.random.default_rng(3), block_noise=0.0)
    for block in (np.zeros(ROUNDS), None):
        own = {**columns, "block": block}
        if block is None:
            del own["block"]
        values = [redraw(seed).of(speedup(columns), lambda _, own=own: own).value for seed in range(30)]
        assert 0.01 * 2 * 1.25 / math.sqrt(ROUNDS) == pytest.approx(stdev(values), rel=0.5)


def test_copies_of_the_baseline_count_as_in_the_sample():
    """The geometric mean of both is the numerator."""
    columns = rounds(np.random.default_rng(4), block_noise=0.0, noise=0.0)
    both = {**columns, "seconds_null": columns["seconds_baseline"] * 4}
    one = replace(speedup(columns), value=4.0)
    assert 4.0 == pytest.approx(redraw().of(one, lambda _: both).value)


def test_a_training_step_of_another_batch_keeps_its_unit():
    """Its stored ratio is per example, its seconds are of the whole step."""
    columns = rounds(np.random.default_rng(5))
    one = speedup(columns, metric="train_step_speedup")
    halved = replace(one, value=one.value / 2, low=one.low / 2, high=one.high / 2)
    whole, half = (redraw().of(found, lambda _: columns) for found in (one, halved))
    assert (whole.value / 2, whole.low / 2, whole.high / 2) == pytest.approx((half.value, half.low, half.high))


def test_cells_of_a_workload_get_the_same_seeds():
    """Their orders by seed stay what they are; another workload has seeds of its own."""
    values = [0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.07]
    draw = redraw(1)
    first, second = (draw.of(by_seed(values, name), nothing) for name in ("fast", "slow"))
    assert first.by_seed == second.by_seed
    assert set(first.by_seed) < set(values)
    assert fmean(first.by_seed) == first.value
    assert quantile(0.95, 6) * stdev(first.by_seed) / math.sqrt(7) == pytest.approx(first.high - first.value)
    other = by_seed(values)
    other = draw.of(replace(other, cell=replace(other.cell, workload="v")), nothing)
    assert other.by_seed != first.by_seed


def test_an_interval_over_items_moves_as_a_whole():
    """By a normal draw of its width; all seeds with it."""
    one = by_seed([0.01, 0.02, 0.03], half=0.1)
    drawn = [redraw(seed).of(one, nothing) for seed in range(400)]
    assert 0.1 / quantile(0.95) == pytest.approx(stdev(again.value for again in drawn), rel=0.1)
    again = drawn[0]
    assert 0.2 == pytest.approx(again.high - again.low)
    assert [again.value - one.value] * 3 == pytest.approx(
        [a - b for a, b in zip(again.by_seed, one.by_seed, strict=True)]
    )


def test_a_figure_over_processes_is_drawn_from_what_its_interval_says():
    """Mean and spread of further processes."""
    one = measured(2.0, 1.9, 2.1, processes=5)
    spread = 0.1 / quantile(0.95, 4)
    drawn = [redraw(seed).of(one, nothing) for seed in range(400)]
    assert spread == pytest.approx(stdev(again.value for again in drawn), rel=0.1)
    assert 0.1 == pytest.approx(fmean((again.high - again.low) / 2 for again in drawn), rel=0.1)


@pytest.mark.parametrize("metric", ["parameters", "speedup", "accuracy_worst_seed"])
def test_what_has_no_interval_stays(metric):
    """Nothing is known of its spread."""
    one = measured(3.0, metric=metric)
    assert one == redraw().of(one, nothing)


def test_a_ratio_without_raw_samples_moves_with_its_interval():
    """So does one of too few rounds."""
    one = replace(measured(2.0, 1.9, 2.1), samples="raw")
    few = {"seconds_baseline": np.full(3, 2.0), "seconds_technique": np.ones(3)}
    for read in (nothing, lambda _: few):
        again = redraw().of(one, read)
        assert again.value != 2.0
        assert 0.2 == pytest.approx(again.high - again.low)


def test_intervals_keep_their_level_and_both_ends():
    """Student's at the level of the measurement, whether over seeds or over processes."""
    values = [0.01, 0.02, 0.03, 0.05]
    half = quantile(0.99, 3) * stdev(values) / 2
    plain = replace(by_seed(values, half=half), confidence=0.99)
    again = redraw(2).of(plain, nothing)
    expected = quantile(0.99, 3) * stdev(again.by_seed) / 2
    assert (again.value - expected, again.value + expected) == pytest.approx((again.low, again.high))
    wide = by_seed(values, half=1.25 * quantile(0.95, 3) * stdev(values) / 2)
    assert wide.high - wide.low == pytest.approx(redraw(2).of(wide, nothing).high - redraw(2).of(wide, nothing).low)
    several = [replace(measured(2.0, 1.9, 2.1, processes=5), confidence=level) for level in (0.95, 0.99)]
    drawn = [[redraw(seed).of(one, nothing) for seed in range(200)] for one in several]
    spreads = [stdev(again.value for again in found) for found in drawn]
    assert quantile(0.99, 4) / quantile(0.95, 4) == pytest.approx(spreads[0] / spreads[1])
    assert all(2 * one.value == pytest.approx(one.low + one.high) and one.low < one.high for one in drawn[0])


def test_a_moved_figure_moves_by_the_level_of_its_interval():
    """The same interval at 99 % means a smaller spread than at 95 %."""
    usual, sure = (replace(measured(2.0, 1.9, 2.1), confidence=level) for level in (0.95, 0.99))
    shifts = [redraw().of(one, nothing).value - 2.0 for one in (usual, sure)]
    assert quantile(0.99) / quantile(0.95) == pytest.approx(shifts[0] / shifts[1])


def test_half_an_interval_is_none():
    """Of a computed figure, too."""
    for low, high in ((None, 0.6), (0.4, None)):
        one = Quantity(value=0.5, low=low, high=high)
        assert one == redraw().quantity(one)
        half = replace(measured(0.5, 0.4, 0.6), low=low, high=high)
        assert half == redraw().of(half, nothing)


def test_a_computed_figure_over_two_seeds_is_drawn_from_them():
    """Over one it moves with its interval, by its degrees of freedom."""
    both = Quantity(value=2.0, low=1.0, high=3.0, by_seed=(1.0, 3.0), freedom=1)
    assert {1.0, 2.0, 3.0} == {redraw(seed).quantity(both).value for seed in range(20)}
    one = Quantity(value=2.0, low=1.0, high=3.0, by_seed=(2.0,), freedom=4)
    shifts = [redraw(seed).quantity(one) for seed in range(400)]
    assert 1.0 / quantile(0.95, 4) == pytest.approx(stdev(again.value for again in shifts), rel=0.1)
    assert all(2 * again.value == pytest.approx(again.low + again.high) for again in shifts)


def test_computed_figures_are_drawn_as_measured_ones_are():
    """Over seeds where there are some; points stay."""
    point = Quantity(value=1.0, exact=True)
    assert point == redraw().quantity(point)
    plain = Quantity(value=0.5, low=0.4, high=0.6)
    assert 0.2 == pytest.approx(redraw().quantity(plain).high - redraw().quantity(plain).low)
    assert 0.5 != redraw().quantity(plain).value
    seeds = Quantity(value=2.0, low=1.0, high=3.0, by_seed=(1.0, 2.0, 3.0, 4.0, 5.0), freedom=4)
    again = redraw().quantity(seeds)
    assert fmean(again.by_seed) == again.value
    assert set(again.by_seed) <= set(seeds.by_seed)
    half = quantile(0.95, 4) * stdev(again.by_seed) / math.sqrt(5)
    assert (again.value - half, again.value + half) == pytest.approx((again.low, again.high))
