"""Change points: steps are found where they are, noise alone is not, and probabilities hold what they say."""
# the expected value stands on the left

import tracemalloc

import numpy as np
import pytest

from suite.analysis.trend import changes as module
from suite.analysis.trend.changes import LEAST, SHUFFLES, adjusted, balance, changes, noise_of, probability

pytest.importorskip("ruptures")


def noise(n, seed=0, spread=0.01):
    return 1 + np.random.default_rng(seed).normal(0, spread, n)


@pytest.mark.parametrize("at", [4, 10, 16])
def test_a_step_is_found_where_it_is_and_how_great_it_is(at):
    """Five standard deviations, in twenty runs."""
    values = noise(20)
    values[at:] += 0.05
    (found,) = changes(values)
    assert abs(found.at - at) <= 1
    assert pytest.approx(0.05, abs=0.015) == found.relative
    assert probability(values) <= 0.02


def test_two_steps_are_two_changes():
    """Down, and up again."""
    values = noise(30)
    values[10:20] -= 0.1
    assert [10, 20] == [change.at for change in changes(values)]


def test_a_step_between_constants_is_found():
    """Counts do not vary: the step is exact, and as sure as ten runs allow."""
    values = np.array([100.0] * 5 + [90.0] * 5)
    (found,) = changes(values)
    assert (5, 100.0, 90.0) == (found.at, found.before, found.after)
    assert probability(values) <= 0.015


@pytest.mark.parametrize("values", [np.ones(20), noise(LEAST - 1)])
def test_what_does_not_vary_or_is_too_short_has_no_change(values):
    """Nothing to find, and nothing to divide by."""
    assert () == changes(values)
    assert 1.0 == probability(values)


def test_noise_alone_is_as_rarely_sure_as_it_says():
    """200 series of noise: those below 5 % are about 5 % of them."""
    sure = sum(probability(noise(15, seed=seed)) <= 0.05 for seed in range(200))
    assert 2 <= sure <= 20


def test_the_noise_is_that_of_neighbours_and_hardly_that_of_a_step():
    """A step of ten standard deviations in 200 runs makes it a seventh greater; the whole spread is five times it."""
    values = noise(200)
    values[100:] += 0.1
    assert pytest.approx(0.0115, rel=0.15) == noise_of(values)


@pytest.mark.parametrize(("ups", "downs", "p"), [(0, 0, 1.0), (5, 5, 1.0), (10, 0, 2 / 1024), (1, 5, 14 / 64)])
def test_a_split_is_as_likely_as_coins_say(ups, downs, p):
    """Exact, two-sided, whichever side is the greater."""
    assert pytest.approx(p) == balance(ups, downs) == balance(downs, ups)


def many(count, n=20):
    return [noise(n, seed=seed) for seed in range(count)]


def test_a_clear_step_is_sure_among_120_series():
    """Twenty runs: more shuffles are drawn where more series are asked about."""
    series = many(120)
    series[60][10:] += 0.1
    sure = adjusted(series, 0.01)
    assert sure[60] <= 0.01
    assert [60] == [k for k, p in enumerate(sure) if p <= 0.01]


def test_no_noise_is_sure_among_120_series():
    """Drawing more proves nothing where there is nothing."""
    assert min(adjusted(many(120), 0.01)) > 0.01


def test_series_that_do_not_vary_make_no_other_less_sure():
    """Counts and bytes are most of a report, and cannot be flagged by chance."""
    step = np.array([1.0] * 6 + [2.0] * 6)
    alone = adjusted([step], 0.01)
    assert [*alone, *[1.0] * 500] == adjusted([step, *[np.ones(12)] * 500], 0.01)
    assert [1.0] == adjusted([noise(LEAST - 1)], 0.01)


@pytest.mark.parametrize(("n", "count"), [(11, 1), (15, 10), (18, 100)])
def test_as_many_runs_as_the_documentation_says_can_prove_a_step(n, count):
    """In their middle, among one, ten and a hundred series; six among a hundred never can."""
    middle = [1.0] * (n // 2) + [2.0] * (n - n // 2)
    assert adjusted([np.array(middle), *many(count - 1)], 0.01)[0] <= 0.01
    assert adjusted([np.array([1.0] * 3 + [2.0] * 3), *many(99)], 0.01)[0] == 1


@pytest.mark.parametrize(("size", "least", "most"), [(0.0, 10, 1000), (1.0, 50_000, 50_000)])
def test_only_a_real_step_takes_all_shuffles(monkeypatch, size, least, most):
    """Noise is known to be noise within the first chunk."""
    drawn, greatest = [], module._greatest_step
    monkeypatch.setattr(module, "_greatest_step", lambda rows: drawn.append(len(rows)) or greatest(rows))
    probability(noise(20) + size * (np.arange(20) >= 10), most=50_000)
    assert least <= sum(drawn) - 1 <= most


def test_a_probability_is_the_same_however_the_shuffles_are_divided(monkeypatch):
    """It stops at the tenth that is as great, not at the end of a chunk."""
    values = noise(15, seed=3)
    whole = probability(values)
    monkeypatch.setattr(module, "CHUNK", 7)
    assert whole == probability(values)


def test_memory_does_not_grow_with_the_shuffles():
    """Two hundred thousand of twenty runs at once would be 32 MB."""
    tracemalloc.start()
    try:
        probability(noise(20) + (np.arange(20) >= 10), most=200_000)
        assert tracemalloc.get_traced_memory()[1] < 4e6
    finally:
        tracemalloc.stop()


def test_a_small_step_of_a_great_count_is_as_sure_as_a_great_one():
    """Rounding of the sums does not tell series apart that are mirrored."""
    step = np.array([0.0] * 6 + [1.0] * 6)
    assert probability(step) == probability(9007e5 / 3 + step)


def test_a_long_history_of_flags_still_has_a_probability():
    """Two to the power of their number is beyond what a float holds."""
    assert 1.0 == balance(600, 600)


def test_the_least_probability_is_one_in_all_shuffles():
    """Never zero: the order that was seen is one of them."""
    assert 1 / (SHUFFLES + 1) <= probability(np.arange(40.0))
