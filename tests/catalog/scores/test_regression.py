"""Regression: errors item by item, whatever form the values have."""
# the expected value stands on the left

import pytest
import torch

from suite.catalog.scores.regression import absolute_error, squared_error
from suite.core.errors import OutputError


@pytest.mark.parametrize("outputs", [torch.tensor([1.0, 5.0]), torch.tensor([[1.0], [5.0]])], ids=["[N]", "[N, 1]"])
@pytest.mark.parametrize("targets", [torch.tensor([2, 2]), torch.tensor([[2.0], [2.0]])], ids=["[N]", "[N, 1]"])
def test_one_value_an_item_may_have_either_form(outputs, targets):
    """No pair of shapes broadcasts into a matrix of all items against all."""
    assert [1.0, 9.0] == squared_error(outputs, targets).tolist()
    assert [1.0, 3.0] == absolute_error(outputs, targets).tolist()


def test_an_items_error_is_the_mean_over_its_values():
    """However many dimensions they have."""
    outputs, targets = torch.zeros(2, 2, 2), torch.tensor([[[1.0, 1.0], [1.0, 3.0]], [[0.0, 0.0], [0.0, 2.0]]])
    assert [3.0, 1.0] == squared_error(outputs, targets).tolist()
    assert [1.5, 0.5] == absolute_error(outputs, targets).tolist()


def test_large_values_are_compared_in_double_precision():
    """float32 would lose the difference."""
    assert [1.0] == absolute_error(torch.tensor([2.0**25]), torch.tensor([2**25 + 1])).tolist()


def test_outputs_and_targets_of_different_numbers_of_values_are_an_error():
    """Two outputs for one target would be compared with it one after the other, silently."""
    with pytest.raises(OutputError, match=r"\(3, 2\) .* \(3,\)"):
        squared_error(torch.zeros(3, 2), torch.zeros(3))
