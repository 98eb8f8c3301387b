"""Items: what a score's function may give, and what is refused."""
# the expected value stands on the left

import numpy as np
import pytest
import torch
from score_samples import figures, seed_of

from suite.catalog.scores import Score
from suite.core.errors import OutputError
from suite.measure.scoring.items import aligned, by_item, figures_of, joined


def score(per_item):
    return Score(name="mine", better="lower", per_item=per_item)


@pytest.mark.parametrize("kind", [torch.tensor, np.array, list])
def test_figures_may_be_tensors_arrays_or_lists(kind):
    """A plain figure weighs 1; truth values are 0 and 1."""
    found = figures_of(score(lambda _o, _t: kind([True, False, True])), None, None, 3)
    assert [1.0, 0.0, 1.0] == found.totals.tolist()
    assert [1.0] * 3 == found.weights.tolist()
    assert found.is_binary


def test_figures_with_gradients_are_taken_as_numbers():
    """A loss as it is written for training serves as a score."""
    found = figures_of(score(lambda _o, _t: torch.tensor([0.5], requires_grad=True)), None, None, 1)
    assert [0.5] == found.totals.tolist()


def test_a_pair_is_totals_and_weights():
    """They are no shares, even where all totals are 0 or 1."""
    found = figures_of(score(lambda _o, _t: (torch.tensor([1.0, 0.0]), torch.tensor([4, 2]))), None, None, 2)
    assert pytest.approx(1 / 6) == found.value
    assert not found.is_binary


@pytest.mark.parametrize("given_", [torch.tensor(0.5), torch.zeros(3), torch.zeros(2, 2)])
def test_another_number_of_figures_than_items_is_an_error(given_):
    """A mean over the batch, say, is answered with the shape that is wanted."""
    with pytest.raises(OutputError, match=r"'mine' must give one figure per item, shape \(2,\)"):
        figures_of(score(lambda _o, _t: given_), None, None, 2)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_figure_that_is_not_finite_is_an_error(bad):
    """Finite outputs can still make a figure that is not: the log of 0."""
    with pytest.raises(OutputError, match="'mine' gave a figure that is not finite"):
        figures_of(score(lambda _o, _t: torch.tensor([0.0, bad])), None, None, 2)


def test_batches_are_joined_in_their_order():
    """Totals and weights alike."""
    found = joined([figures([1.0, 2.0]), figures([3.0], [5])])
    assert ([1, 2, 3], [1, 1, 5]) == (found.totals.tolist(), found.weights.tolist())


def test_an_items_figures_add_up_over_the_seeds_that_tested_it():
    """Item 2 was seen twice, the others once."""
    mine = score(lambda _o, _t: None)
    outcomes = [seed_of(0, mine, [1.0, 2.0], ids=[1, 2]), seed_of(1, mine, [4.0, 8.0], ids=[2, 5])]
    totals, weights, looks = by_item(outcomes, "mine")
    assert ([1, 6, 8], [1, 2, 1], [1, 2, 1]) == (totals.tolist(), weights.tolist(), looks.tolist())


def test_an_items_place_on_the_other_side_is_found_by_its_id():
    """Whatever order either side has."""
    mine = score(lambda _o, _t: None)
    ours, theirs = seed_of(0, mine, [0.0] * 3, ids=[9, 4, 7]), seed_of(0, mine, [0.0] * 3, ids=[7, 9, 4])
    assert [1, 2, 0] == aligned(ours, theirs, ("mine", "baseline")).tolist()
