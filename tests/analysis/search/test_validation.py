"""A search sees validation items, never the test's."""
# the expected value stands on the left

from dataclasses import replace

import pytest
import tiny
import torch

from suite.analysis.search.validation import on_validation
from suite.core.errors import UsageError


def halves(**changes):
    return replace(tiny.registry().find_workload("halves"), **changes)


def test_validation_items_stand_in_the_place_of_the_test():
    """Training items stay."""
    seen, own = on_validation(halves()).recipe(0).data(), tiny.splits(0)
    assert torch.equal(own.validation.inputs, seen.test.inputs)
    assert torch.equal(own.train.inputs, seen.train.inputs)


def test_the_figures_have_a_name_of_their_own():
    """Nobody takes them for those of the test."""
    assert "halves@validation" == on_validation(halves()).name


def test_data_without_validation_are_refused():
    """Nothing may be chosen on the test."""
    bare = halves(recipe=lambda seed: tiny.recipe(seed, data=lambda: replace(tiny.splits(seed), validation=None)))
    with pytest.raises(UsageError, match="have no validation split"):
        on_validation(bare).recipe(0).data()
