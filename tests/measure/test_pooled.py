"""Scores over seeds: an item counts once, pairs stay pairs, and the worst seed is the worst."""
# the expected value stands on the left

from dataclasses import replace

import numpy as np
import pytest
import tiny
from hypothesis import given, settings
from hypothesis import strategies as st
from score_samples import ACCURACY, ERROR, measurements, seed_of

from suite.catalog.scores import Score
from suite.core.errors import OutputError
from suite.core.metrics import METRICS
from suite.core.stats.intervals import paired_difference, wilson
from suite.measure.quality import outcome, quality
from suite.training.recipe import Split
from suite.training.serving import serve

SEEDS = 5


# -- an item counts once ----------------------------------------------------------------------------------------------


def test_five_looks_at_the_same_images_are_no_five_times_as_many_images():
    """24 images without an error over five seeds: the error is below 13.8 %, not below the 3.1 % of 120 images."""
    found = measurements(ACCURACY, [seed_of(seed, ACCURACY, [1] * 24) for seed in range(SEEDS)])[""]
    assert 24 == found.n
    assert pytest.approx(0.138, abs=5e-4) == 1 - found.low
    assert 1.0 == found.value == found.high


def test_disjoint_folds_count_every_image():
    """Five folds of 24 images are 120 images: the same answers without an error leave 3.1 %."""
    folds = [seed_of(seed, ACCURACY, [1] * 24, ids=range(24 * seed, 24 * seed + 24)) for seed in range(SEEDS)]
    found = measurements(ACCURACY, folds)[""]
    assert 120 == found.n
    assert pytest.approx(0.031, abs=5e-4) == 1 - found.low


def test_the_interval_of_a_share_is_wilsons_with_each_image_once():
    """An image that three of four seeds have right is three quarters of a success."""
    rows = [[1, 1, 0], [1, 1, 0], [1, 1, 0], [1, 0, 0]]
    found = measurements(ACCURACY, [seed_of(seed, ACCURACY, row) for seed, row in enumerate(rows)])[""]
    assert pytest.approx(wilson(1.75, 3, 0.95)) == (found.low, found.high)
    assert pytest.approx(1.75 / 3) == found.value


def test_the_difference_of_shares_is_agresti_and_mins_with_each_image_once():
    """Four seeds that agree say no more about ten images than one."""
    ours, theirs = [1] * 8 + [0] * 2, [0] * 2 + [1] * 8
    one, four = (
        measurements(
            ACCURACY,
            [seed_of(seed, ACCURACY, ours) for seed in range(count)],
            [seed_of(seed, ACCURACY, theirs) for seed in range(count)],
        )["_vs_control"]
        for count in (1, 4)
    )
    assert pytest.approx(paired_difference(2, 2, 10, 0.95)) == (one.low, one.high) == (four.low, four.high)


# -- the same items on both sides -------------------------------------------------------------------------------------


def test_images_are_compared_one_by_one():
    """Equal accuracies on different images leave more doubt than equal answers."""
    half, other_half = [1] * 50 + [0] * 50, [0] * 50 + [1] * 50
    ours = [seed_of(0, ACCURACY, half)]
    same, different = (
        measurements(ACCURACY, ours, [seed_of(0, ACCURACY, answers)])["_vs_control"] for answers in (half, other_half)
    )
    assert (0, 0) == (same.value, different.value)
    assert same.high - same.low < different.high - different.low


def test_items_with_ids_are_aligned_however_each_side_orders_them():
    """The same answers for the same images in another order: no doubt beyond that of equal answers."""
    order = np.random.default_rng(0).permutation(40)
    answers = np.arange(40) % 2
    targets = np.arange(40) + 100
    ours = seed_of(0, ACCURACY, answers, fingerprints=targets)
    theirs = seed_of(0, ACCURACY, answers[order], ids=order, fingerprints=targets[order])
    straight, shuffled = (measurements(ACCURACY, [ours], [other])["_vs_control"] for other in (ours, theirs))
    assert (straight.value, straight.low, straight.high) == (shuffled.value, shuffled.low, shuffled.high)


def test_other_targets_for_the_same_items_are_an_error():
    """A test set that was shuffled is noticed by its targets: the figures of pairs would be of other pairs."""
    ours, theirs = (seed_of(3, ACCURACY, [1, 0], fingerprints=np.array(marks)) for marks in ([7, 8], [8, 7]))
    with pytest.raises(OutputError, match=r"other targets for the same test items than its control .*seed 3"):
        measurements(ACCURACY, [ours], [theirs])


@pytest.mark.parametrize("ids", [[0, 1, 3], [0, 1]], ids=["other", "fewer"])
def test_other_items_are_an_error(ids):
    """Named with both numbers of items and what mends it."""
    ours, theirs = seed_of(0, ACCURACY, [1, 1, 1]), seed_of(0, ACCURACY, [1] * len(ids), ids=ids)
    with pytest.raises(OutputError, match=rf"other test items .* longer .*3 and {len(ids)} items.*ids=") as error:
        measurements(ACCURACY, [ours], [theirs], "longer")
    assert str(error.value).startswith("baseline was tested on")


def changed_test(change):
    """The tiny baseline, and the same network on a test set that ``change`` made of its own."""
    plain = tiny.fitted()
    parts = tiny.splits(0)
    recipe = replace(plain.recipe, data=lambda: replace(parts, test=change(parts.test)))
    return plain, replace(plain, recipe=recipe)


def compared_runs(change):
    workload = tiny.registry().find_workload("halves")
    ours, theirs = (outcome(run, serve(run), workload, batch=5) for run in reversed(changed_test(change)))
    return {one.metric: one for one in quality(tiny.BASELINE_CELL, workload, [ours], [theirs], "baseline")}


def test_a_technique_that_reorders_the_test_images_is_found_out():
    """End to end: targets in another order are other targets, and ids in another order are aligned."""
    order = np.r_[8:16, 0:8][::-1].copy()

    def shuffled(test):
        return Split(inputs=test.inputs[order], targets=test.targets[order])

    with pytest.raises(OutputError, match="other targets"):
        compared_runs(shuffled)
    with pytest.raises(OutputError, match="other test items"):
        compared_runs(lambda test: Split(inputs=test.inputs, targets=test.targets, ids=test.targets * 0 + 99))


def test_a_technique_that_reorders_named_images_is_compared_all_the_same():
    """Explicit ids say which image is which."""
    import torch

    order = torch.arange(15, -1, -1)
    found = compared_runs(lambda test: Split(inputs=test.inputs[order], targets=test.targets[order], ids=order))
    assert 0 == found["accuracy_vs_control"].value
    assert 16 == found["accuracy_vs_control"].n


def test_an_outcome_is_that_of_the_seeds_own_test_images():
    """The served network answers them in their order; training cost comes with it."""
    trained = tiny.fitted(seed=3)
    workload = tiny.registry().find_workload("halves")
    found, test = outcome(trained, serve(trained), workload, batch=5), tiny.splits(3).test
    right = trained.network(test.inputs).argmax(1) == test.targets
    assert (3, trained.seconds, None) == (found.seed, found.seconds, found.seconds_to_target)
    assert right.tolist() == found.figures["accuracy"].totals.tolist()
    assert list(range(16)) == found.ids.tolist()


# -- seeds ------------------------------------------------------------------------------------------------------------


def test_the_interval_of_a_difference_is_the_wider_of_items_and_seeds():
    """Two seeds that disagree widen what a hundred images alone would claim."""
    control = [seed_of(seed, ACCURACY, [0] * 20 + [1] * 80) for seed in range(2)]
    steady = [seed_of(seed, ACCURACY, [0] * 10 + [1] * 90) for seed in range(2)]
    shaky = [seed_of(0, ACCURACY, [0] * 20 + [1] * 80), seed_of(1, ACCURACY, [1] * 100)]
    first, second = (measurements(ACCURACY, ours, control)["_vs_control"] for ours in (steady, shaky))
    assert pytest.approx(0.1) == first.value == second.value
    assert first.high - first.low < second.high - second.low


@pytest.mark.parametrize(("score", "expected"), [(ACCURACY, 0.25), (ERROR, 0.75)])
def test_the_worst_seed_follows_the_direction_of_the_score(score, expected):
    """The lowest accuracy, the highest error."""
    outcomes = [seed_of(4, score, [1, 1, 1, 0]), seed_of(7, score, [0, 0, 1, 0])]
    assert expected == measurements(score, outcomes)["_worst_seed"].value


def test_a_score_is_the_mean_of_its_seeds_which_are_all_kept():
    """The noise is the standard deviation over seeds, in the score's own unit."""
    found = measurements(ACCURACY, [seed_of(4, ACCURACY, [1, 1, 1, 0]), seed_of(7, ACCURACY, [1, 0, 0, 0])])
    assert (0.5, (0.75, 0.25), (4, 7)) == (found[""].value, found[""].by_seed, found[""].seeds)
    assert (0.0, 0.0) == found["_vs_control"].by_seed
    assert pytest.approx(0.5 / np.sqrt(2)) == found[""].noise
    assert found[""].low < 0.5 < found[""].high


def test_one_seed_has_no_noise():
    """Nothing is known of a spread, and nothing is claimed; the items still give an interval."""
    found = measurements(ACCURACY, [seed_of(0, ACCURACY, [1, 0, 1])])
    assert {None} == {one.noise for one in found.values()}
    assert found[""].low < 2 / 3 < found[""].high


def test_the_control_is_named_with_every_figure():
    """A reader sees what a difference is a difference to."""
    found = measurements(ACCURACY, [seed_of(0, ACCURACY, [1])], name="longer(epochs=1)")
    assert {"longer(epochs=1)"} == {one.control for one in found.values()}


# -- other scores -----------------------------------------------------------------------------------------------------


@pytest.fixture
def catalogue(monkeypatch):
    """The catalogue of metrics, which forgets afterwards what a test declares."""
    monkeypatch.setattr("suite.core.metrics.METRICS", dict(METRICS))
    monkeypatch.setattr("suite.core.metrics._SCORES", {})


@pytest.mark.usefixtures("catalogue")
def test_a_score_keeps_its_own_unit_and_direction():
    """Millimetres, where less is better, are no shares: no margin of half a percent applies."""
    from suite.core.metrics import declare_score

    depth = Score(name="depth_error", unit="mm", better="lower", per_item=lambda _o, _t: None)
    declare_score("depth_error", unit="mm", better="lower")
    found = measurements(depth, [seed_of(0, depth, [1.0, 3.0]), seed_of(1, depth, [2.0, 4.0])])
    assert {("mm", "lower", None)} == {(one.unit, one.better, one.margin) for one in found.values()}
    assert (2.5, 3.0) == (found[""].value, found["_worst_seed"].value)


@pytest.mark.parametrize("factor", [2.0**10, 2.0**-10])
def test_figures_in_another_unit_scale_value_interval_and_noise(factor):
    """Metres and kilometres tell the same story; powers of two to the last bit."""
    rng = np.random.default_rng(5)
    rows, others = rng.random((2, 3, 20)) + 2
    both = [
        measurements(
            ERROR,
            [seed_of(k, ERROR, scale * row) for k, row in enumerate(rows)],
            [seed_of(k, ERROR, scale * row) for k, row in enumerate(others)],
        )
        for scale in (1.0, factor)
    ]
    for ending in ("", "_vs_control", "_worst_seed"):
        for field in ("value", "low", "high", "noise"):
            plain, scaled = (getattr(found[ending], field) for found in both)
            assert (None if plain is None else plain * factor) == scaled


def test_margins_are_those_of_shares_unless_a_score_brings_its_own():
    """Half a percent for a share (bounds double it for the worst seed); a declared margin holds for all three."""
    own = replace(ERROR, margin=0.3)
    shares, errors, declared = (
        {ending: one.margin for ending, one in measurements(score, [seed_of(0, score, totals)]).items()}
        for score, totals in ((ACCURACY, [1, 0]), (ERROR, [0.2, 7.0]), (own, [0.2, 7.0]))
    )
    assert {"": 0.005, "_vs_control": 0.005, "_worst_seed": 0.005} == shares
    assert {None} == set(errors.values())
    assert {0.3} == set(declared.values())


def test_a_draw_of_items_that_weigh_nothing_says_nothing():
    """Three of four items weigh nothing (padding): some resamples hold no other, and the interval stays a number."""
    found = measurements(ERROR, [seed_of(0, ERROR, [2.0, 0.0, 0.0, 0.0], weights=[1, 0, 0, 0])])
    assert (2.0, 2.0) == (found[""].low, found[""].high)


def test_weighted_figures_are_total_over_total():
    """Ten bits for two bytes and one bit for one are 11 / 3 bits a byte, not the mean of 5 and 1."""
    found = measurements(ERROR, [seed_of(0, ERROR, [10.0, 1.0], weights=[2, 1])])
    assert pytest.approx(11 / 3) == found[""].value
    assert (1.0, 5.0) == (found[""].low, found[""].high)  # the longest and the shortest item drawn twice


# -- for any figures --------------------------------------------------------------------------------------------------

COUNTS = st.tuples(st.integers(1, 3), st.integers(1, 12))
RIGHT = COUNTS.flatmap(lambda size: rows_of(*size, st.integers(0, 1)))
NUMBERS = COUNTS.flatmap(lambda size: rows_of(*size, st.floats(-1e3, 1e3)))


def rows_of(seeds, items, values):
    row = st.lists(values, min_size=items, max_size=items)
    return st.lists(row, min_size=seeds, max_size=seeds)


def seeds_of(score, rows, *, folds=False):
    """Seeds that test the same items, or each its own."""
    return [seed_of(k, score, row, ids=np.arange(len(row)) + (folds * k * len(row))) for k, row in enumerate(rows)]


@settings(max_examples=40)
@given(rows=RIGHT, folds=st.booleans())
def test_the_interval_of_a_share_holds_the_share_within_zero_and_one(rows, folds):
    """However many seeds looked, at the same items or at others."""
    found = measurements(ACCURACY, seeds_of(ACCURACY, rows, folds=folds))[""]
    assert 0 <= found.low <= found.value + 1e-12
    assert found.value - 1e-12 <= found.high <= 1


@settings(max_examples=15)  # each bootstraps intervals
@given(rows=NUMBERS, folds=st.booleans())
def test_the_interval_of_a_mean_holds_the_mean(rows, folds):
    """Resampled items lie around what was measured."""
    found = measurements(ERROR, seeds_of(ERROR, rows, folds=folds))[""]
    assert found.low - 1e-9 <= found.value <= found.high + 1e-9


@settings(max_examples=15)
@pytest.mark.parametrize(("score", "rows"), [(ACCURACY, RIGHT), (ERROR, NUMBERS)], ids=["shares", "numbers"])
@given(data=st.data())
def test_against_itself_nothing_is_gained_or_lost(score, rows, data):
    """The difference is exactly 0, for every seed, and its interval contains 0."""
    found = measurements(score, seeds_of(score, data.draw(rows)))["_vs_control"]
    assert {0.0} == {found.value, *found.by_seed}
    assert found.low <= 0 <= found.high


@settings(max_examples=15)
@given(ours=RIGHT, data=st.data())
def test_the_difference_is_the_difference_of_the_scores(ours, data):
    """Counting item by item changes the interval, not the value; swapping sides mirrors it."""
    theirs = data.draw(rows_of(len(ours), len(ours[0]), st.integers(0, 1)))
    first, second = seeds_of(ACCURACY, ours), seeds_of(ACCURACY, theirs)
    there, back = measurements(ACCURACY, first, second), measurements(ACCURACY, second, first)
    gap = there[""].value - back[""].value
    assert pytest.approx(gap, abs=1e-12) == there["_vs_control"].value
    assert pytest.approx(-gap, abs=1e-12) == back["_vs_control"].value
    assert there["_vs_control"].low - 1e-12 <= gap <= there["_vs_control"].high + 1e-12


@settings(max_examples=20)
@given(rows=RIGHT, data=st.data())
def test_the_order_of_the_items_does_not_matter(rows, data):
    """The same named items in another order give the same value and the same interval."""
    order = np.array(data.draw(st.permutations(range(len(rows[0])))))
    straight = [seed_of(k, ACCURACY, row) for k, row in enumerate(rows)]
    shuffled = [seed_of(k, ACCURACY, np.array(row)[order], ids=order) for k, row in enumerate(rows)]
    first, second = (measurements(ACCURACY, found, straight) for found in (straight, shuffled))
    for ending in ("", "_vs_control"):
        left, right = ((found[ending].value, found[ending].low, found[ending].high) for found in (first, second))
        assert pytest.approx(left, abs=1e-12) == right
