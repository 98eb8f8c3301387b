"""Worker processes make the batches that the training process would have made."""
# the expected value stands on the left

import multiprocessing

import pytest
import tiny
import torch
from technique_samples import composed
from torch import nn

from suite.core.errors import UsageError
from suite.training.recipe import Batch, Split


class Dropping(tiny.Net):
    """Dropout draws from torch's own generator."""

    def __init__(self, width=1.0):
        super().__init__(width)
        self.conv.append(nn.Dropout(0.5))


@pytest.mark.parametrize("text", ["data_loading", "data_loading(workers=3,prefetch=1)"])
def test_the_trained_weights_are_those_of_one_process_to_the_bit(text):
    """Same batches, same order, same generator over all epochs; dropout's numbers are not disturbed."""
    plain = tiny.recipe(model=Dropping)
    expected, found = (tiny.state(tiny.fitted(recipe).network) for recipe in (plain, composed(text, plain)))
    assert tiny.equal_states(expected, found)


def test_workers_make_the_batches_of_other_techniques_too():
    """What an earlier technique put into the slot is what the processes run."""
    text = "large_batch(factor=2)"
    expected, found = (tiny.state(tiny.fitted(composed(t)).network) for t in (text, f"{text}+data_loading"))
    assert tiny.equal_states(expected, found)


def test_an_epoch_that_is_left_early_leaves_no_process():
    """Who takes the first batch alone closes the rest."""
    batches = composed("data_loading(workers=2)").batches(tiny.splits(0).train, torch.Generator().manual_seed(0))
    assert isinstance(next(batches), Batch)
    assert 2 == len(multiprocessing.active_children())
    batches.close()
    assert [] == multiprocessing.active_children()


def test_a_mistake_in_the_recipes_batches_is_raised_with_its_own_words():
    """Not a worker that 'exited unexpectedly'."""

    def broken(_train, _generator):
        raise ValueError("no such file: digits.bin")
        yield

    with pytest.raises(ValueError, match="no such file: digits"):
        tiny.fitted(composed("data_loading", tiny.recipe(batches=broken)))


@pytest.mark.parametrize("arguments", ["workers=0", "prefetch=0"])
def test_neither_workers_nor_batches_ahead_may_be_none(arguments):
    """The error names both values."""
    with pytest.raises(UsageError, match="data_loading: workers and prefetch must be 1 or more, got"):
        composed(f"data_loading({arguments})")


def test_training_data_are_copied_to_the_host_once_and_not_every_epoch(monkeypatch):
    """The copy from an accelerator would be a part of the seconds of training."""
    copied, to = [], Split.to
    monkeypatch.setattr(Split, "to", lambda self, device: copied.append(device) or to(self, device))
    recipe, train = composed("data_loading(workers=1)"), tiny.splits(0).train
    for _ in range(2):
        recipe.batches(train, torch.Generator().manual_seed(0)).close()  # not begun: nothing is copied
        list(recipe.batches(train, torch.Generator().manual_seed(0)))
    assert ["cpu"] == copied
    list(recipe.batches(tiny.splits(1).train, torch.Generator().manual_seed(0)))
    assert ["cpu"] * 2 == copied
