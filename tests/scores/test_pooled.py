"""Quality: macro precision and recall, the paired comparison with the control, and what seeds add."""
# the expected value stands on the left

import numpy as np
import pytest
import tiny
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import precision_recall_fscore_support
from suite.scores.quality import SeedOutcome, macro, outcome, quality

from suite.training.serving import serve

CELL = tiny.BASELINE_CELL
LABELS = st.integers(1, 40).flatmap(
    lambda n: st.tuples(*(st.lists(st.integers(0, 6), min_size=n, max_size=n) for _ in range(2)))
)


def seed_outcome(seed, predicted, targets, *, seconds=1.0, to_target=None):
    return SeedOutcome(
        seed=seed,
        predicted=np.array(predicted),
        targets=np.array(targets),
        seconds=seconds,
        seconds_to_target=to_target,
    )


def figures(outcomes, control=None, name="baseline"):
    found = quality(CELL, outcomes, outcomes if control is None else control, name)
    return {measurement.metric: measurement for measurement in found}


@given(labels=LABELS)
def test_macro_precision_and_recall_are_scikit_learns(labels):
    """Classes that only one side knows, and classes that nobody ever says, count as scikit-learn counts them."""
    predicted, targets = map(np.array, labels)
    precision, recall, *_ = precision_recall_fscore_support(targets, predicted, average="macro", zero_division=0)
    assert pytest.approx((precision, recall)) == macro(predicted, targets)


RUNS = st.lists(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=8, max_size=8), min_size=1, max_size=4
)


@settings(max_examples=15)  # each bootstraps an interval
@given(runs=RUNS)
def test_against_itself_nothing_is_gained_or_lost(runs):
    """The difference is exactly 0, and its interval contains 0."""
    outcomes = [seed_outcome(k, *zip(*run, strict=True)) for k, run in enumerate(runs)]
    found = figures(outcomes)["accuracy_vs_control"]
    assert 0 == found.value
    assert found.low <= 0 <= found.high


@settings(max_examples=15)
@given(ours=RUNS, data=st.data())
def test_the_difference_is_the_difference_of_the_accuracies(ours, data):
    """Counting image by image changes the interval, not the value; swapping sides changes its sign."""
    theirs = [[(data.draw(st.integers(0, 2)), target) for _, target in run] for run in ours]
    first, second = (
        [seed_outcome(k, *zip(*run, strict=True)) for k, run in enumerate(runs)] for runs in (ours, theirs)
    )
    there, back = figures(first, second), figures(second, first)
    gap = there["accuracy"].value - back["accuracy"].value
    assert pytest.approx(gap) == there["accuracy_vs_control"].value
    assert pytest.approx(-gap) == back["accuracy_vs_control"].value
    assert there["accuracy_vs_control"].low <= gap + 1e-12
    assert gap - 1e-12 <= there["accuracy_vs_control"].high


def test_images_are_compared_one_by_one():
    """Equal accuracies on different images leave more doubt than equal answers."""
    targets = [0] * 100
    half, other_half = [0] * 50 + [1] * 50, [1] * 50 + [0] * 50
    same = figures([seed_outcome(0, half, targets)], [seed_outcome(0, half, targets)])["accuracy_vs_control"]
    different = figures([seed_outcome(0, half, targets)], [seed_outcome(0, other_half, targets)])["accuracy_vs_control"]
    assert (0, 0) == (same.value, different.value)
    assert same.high - same.low < different.high - different.low


def test_the_interval_of_a_difference_is_the_wider_of_images_and_seeds():
    """Two seeds that disagree widen what a hundred images alone would claim."""
    targets = [0] * 100
    control = [seed_outcome(seed, [1] * 20 + [0] * 80, targets) for seed in range(2)]
    steady = [seed_outcome(seed, [1] * 10 + [0] * 90, targets) for seed in range(2)]
    shaky = [seed_outcome(0, [1] * 20 + [0] * 80, targets), seed_outcome(1, [0] * 100, targets)]
    first, second = (figures(ours, control)["accuracy_vs_control"] for ours in (steady, shaky))
    assert pytest.approx(0.1) == first.value == second.value
    assert first.high - first.low < second.high - second.low


def test_accuracy_is_the_mean_of_the_seeds_and_the_worst_is_the_worst():
    """The noise is the standard deviation over seeds, in the metric's own unit."""
    outcomes = [seed_outcome(4, [0, 0, 0, 1], [0] * 4), seed_outcome(7, [0, 1, 1, 1], [0] * 4)]
    found = figures(outcomes)
    assert (0.5, 0.25) == (found["accuracy"].value, found["accuracy_worst_seed"].value)
    assert pytest.approx(0.5 / np.sqrt(2)) == found["accuracy"].noise
    assert (8, (4, 7)) == (found["accuracy"].n, found["accuracy"].seeds)
    assert found["accuracy"].low < 0.5 < found["accuracy"].high


def test_one_seed_has_no_noise():
    """Nothing is known of a spread, and nothing is claimed."""
    found = figures([seed_outcome(0, [0, 1, 1], [0, 1, 0], to_target=0.5)])
    assert {None} == {measurement.noise for measurement in found.values()}
    assert (None, None) == (found["train_seconds"].low, found["train_seconds"].confidence)


def test_all_seeds_predictions_are_pooled_for_precision_and_recall():
    """The bootstrap interval holds the value, between 0 and 1."""
    rng = np.random.default_rng(1)
    targets = rng.integers(3, size=60)
    predicted = np.where(rng.random(60) < 0.8, targets, rng.integers(3, size=60))
    found = figures([seed_outcome(0, predicted[:30], targets[:30]), seed_outcome(1, predicted[30:], targets[30:])])
    pooled = macro(predicted, targets)
    for value, name in zip(pooled, ("macro_precision", "macro_recall"), strict=True):
        assert value == found[name].value
        assert 0 <= found[name].low <= value <= found[name].high <= 1


def test_training_cost_is_the_mean_over_seeds_with_relative_noise():
    """Seconds of two seeds, and their deviation as a share of the mean."""
    outcomes = [seed_outcome(seed, [0], [0], seconds=seconds) for seed, seconds in enumerate((1.0, 3.0))]
    found = figures(outcomes)["train_seconds"]
    assert (2.0, 2) == (found.value, found.n)
    assert pytest.approx(np.sqrt(2) / 2) == found.noise


def test_time_to_target_is_absent_unless_every_seed_reached_it():
    """A mean over the seeds that happened to reach it would flatter."""
    reached, missed = seed_outcome(0, [0], [0], to_target=0.5), seed_outcome(1, [0], [0])
    assert 0.5 == figures([reached])["time_to_target"].value
    assert "time_to_target" not in figures([reached, missed])


def test_the_control_is_named_with_every_figure():
    """A reader sees what a difference is a difference to."""
    found = figures([seed_outcome(0, [0], [0])], name="longer(epochs=1)")
    assert {"longer(epochs=1)"} == {measurement.control for measurement in found.values()}


def test_an_outcome_is_that_of_the_seeds_own_test_images():
    """The served network answers them in their order; training cost comes with it."""
    trained = tiny.fitted(tiny.recipe(3))
    found = outcome(trained, serve(trained), batch=5, target=None)
    test = tiny.splits(3).test
    assert (3, trained.seconds, None) == (found.seed, found.seconds, found.seconds_to_target)
    assert trained.network(test.inputs).argmax(1).tolist() == found.predicted.tolist()
    assert test.targets.tolist() == found.targets.tolist()
