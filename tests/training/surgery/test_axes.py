"""Axes of scaling curves: every amount is a recipe that has that much of one resource and the same of the others."""
# the expected value stands on the left

import os
from dataclasses import replace

import pytest
import tiny
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from suite.core.errors import UsageError
from suite.training.loop import Goal, built, fit
from suite.training.recipe import Split, Splits
from suite.training.surgery.axes import axes, find, items_seen, total_steps, watched

NAMES = ["train_samples", "steps", "width"]
AS_BEFORE = {"train_samples": 32, "steps": 12, "width": 1.0}
PROMPTLY = settings(max_examples=500 if os.environ.get("HYPOTHESIS_PROFILE") == "ci" else 20)


def counted():
    """The tiny recipe on 32 items that are their own numbers, 8 a batch."""
    part = Split(inputs=torch.arange(32)[:, None], targets=torch.arange(32), ids=torch.arange(100, 132))
    return tiny.recipe(data=lambda: Splits(train=part, validation=part, test=part))


def batches_of(recipe):
    """The items of each training batch of all epochs, as the loop draws them."""
    generator, train = torch.Generator().manual_seed(3), recipe.data().train
    epochs = [[batch.targets.tolist() for batch in recipe.batches(train, generator)] for _ in range(recipe.epochs)]
    assert {recipe.steps_per_epoch(len(train))} == set(map(len, epochs))
    return [batch for epoch in epochs for batch in epoch]


def test_the_axes_of_a_recipe_say_what_it_has():
    """All of its training data, its steps, and its width."""
    found = axes(counted())
    assert NAMES == list(found)
    assert AS_BEFORE == {name: axis.full for name, axis in found.items()}
    assert ["samples", "steps", "1"] == [axis.unit for axis in found.values()]


def test_a_model_without_width_has_no_such_axis():
    """The others stay; asking for it names them."""
    recipe = replace(counted(), model=lambda: torch.nn.Linear(1, 2))
    assert NAMES[:2] == list(axes(recipe))
    with pytest.raises(UsageError, match="unknown axis 'width'; known: steps, train_samples"):
        find(recipe, "width")


@pytest.mark.parametrize("name", ["steps", "width"])
def test_the_full_amount_is_the_plain_training(name):
    """The very batches, in the very order."""
    recipe = counted()
    same = find(recipe, name).at(recipe, AS_BEFORE[name])
    assert batches_of(recipe) == batches_of(same)
    assert recipe.epochs == same.epochs


@PROMPTLY
@given(st.integers(1, 40))
def test_steps_are_exact(amount):
    """Any number, from parts of epochs or from more of them; the first ones are those of the plain training."""
    recipe = counted()
    found = find(recipe, "steps").at(recipe, amount)
    assert amount == total_steps(found) == len(batches_of(found))
    assert 1 <= found.epochs <= recipe.epochs


@PROMPTLY
@given(fewer=st.integers(8, 32), more=st.integers(8, 32))
def test_fewer_samples_are_among_more_and_the_steps_stay(fewer, more):
    """Nested, with their names; validation and test are left alone."""
    recipe, axis = counted(), find(counted(), "train_samples")
    small, large = (axis.at(recipe, amount) for amount in sorted((fewer, more)))
    parts = [set(found.data().train.targets.tolist()) for found in (small, large)]
    assert parts[0] <= parts[1]
    assert min(fewer, more) == len(parts[0])
    assert torch.equal(small.data().train.targets + 100, small.data().train.ids)
    assert 32 == len(small.data().test) == len(small.data().validation)
    assert 12 == total_steps(small) == len(batches_of(small))
    assert parts[0] >= {item for batch in batches_of(small) for item in batch}


def test_width_scales_the_model_alone():
    """Half the channels; the batches are the same."""
    recipe = counted()
    half = find(recipe, "width").at(recipe, 0.5)
    assert tiny.Net(0.5).fc1.weight.shape == built(half, 0).fc1.weight.shape
    assert recipe.batches is half.batches


@pytest.mark.parametrize(
    ("name", "amount", "said"),
    [
        ("steps", 0, "must be a whole number above 0, in steps"),
        ("steps", 2.5, "must be a whole number above 0"),
        ("train_samples", 33, "there are only 32 samples; ask for fewer"),
        ("train_samples", -1, "above 0"),
        ("width", float("nan"), "must be a finite number above 0"),
        ("width", float("inf"), "must be a finite number above 0"),
    ],
)
def test_an_amount_that_there_cannot_be_is_refused(name, amount, said):
    """With the value, and what is possible."""
    with pytest.raises(UsageError, match=said):
        find(counted(), name).at(counted(), amount)


def test_too_few_samples_for_a_batch_end_with_a_message():
    """No loop that waits for batches for ever."""
    recipe = replace(tiny.recipe(), batches=lambda *_: iter(()))
    few = find(recipe, "steps").at(recipe, 5)
    with pytest.raises(UsageError, match="is a batch larger"):
        fit(few, seed=0, device="cpu", reference=lambda _: None, goal=None, report=None)


def test_watched_training_looks_after_equal_parts():
    """As many validation scores as looks; the number of steps stays."""
    recipe = watched(tiny.recipe(), 6)
    never = Goal(value=float("inf"), better="higher", score=lambda *_: 0.0)
    trained = fit(recipe, seed=0, device="cpu", reference=lambda _: None, goal=never, report=None)
    assert [0.0] * 6 == [epoch.score for epoch in trained.epochs]
    assert tiny.STEPS == total_steps(recipe)


@pytest.mark.parametrize("looks", [0, 5, 13])
def test_looks_divide_the_steps(looks):
    """Otherwise the last part would be another length."""
    with pytest.raises(UsageError, match=f"looks={looks}: must be at least 1 and divide the 12 steps"):
        watched(tiny.recipe(), looks)


def test_items_seen_count_every_batch():
    """32 items in three epochs."""
    assert 96 == items_seen(counted())
    assert 40 == items_seen(find(counted(), "steps").at(counted(), 5))
