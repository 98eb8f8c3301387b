"""A comparison with itself is refused, whatever the two arms are called."""
# the expected value stands on the left

from dataclasses import replace

import pytest
import tiny
import torch

from suite.core.errors import TechniqueError, UsageError
from suite.training.distributed.parity import Layout, check_layouts, in_float64, relative_distances

ONE = Layout(rank=0, world=1, form="Net", weights=10, updated=10, places=("Tensor",))
TWO = tuple(replace(ONE, rank=rank, world=2, form="DistributedDataParallel") for rank in (0, 1))


def test_several_ranks_in_another_form_are_compared():
    check_layouts((ONE,), TWO)


@pytest.mark.parametrize(
    ("one", "ranks", "said"),
    [
        ((ONE,), (ONE,), "trained in 1 processes of a group of 1"),
        ((ONE,), (), "trained in 0 processes"),
        ((ONE,), TWO[:1], "trained in 1 processes of a group of 2"),
        (TWO, TWO, "the arm of one process trained in 2 processes"),
        ((ONE,), tuple(replace(layout, form="Net") for layout in TWO), "compared with itself"),
    ],
)
def test_a_thing_is_not_compared_with_itself(one, ranks, said):
    with pytest.raises(TechniqueError, match=said):
        check_layouts(one, ranks)


def test_a_comparison_takes_as_many_steps_as_it_is_given():
    """More than an epoch has, too; in float64."""
    recipe = in_float64(tiny.recipe(), 7)
    found = tiny.fitted(recipe)
    assert 1 == len(found.epochs)
    assert {"torch.float64"} == {str(weight.dtype) for weight in found.network.parameters()}
    with pytest.raises(UsageError, match="one step or more, got steps=0"):
        in_float64(tiny.recipe(), 0)


def test_distances_are_relative_to_the_first_network():
    first, second = tiny.Net(), tiny.Net()
    second.load_state_dict(first.state_dict())
    second.fc1.bias.data.mul_(1.5)
    distances = relative_distances(first, second)
    assert pytest.approx(0.5) == distances.pop("fc1.bias")
    assert {0.0} == set(distances.values())


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("spoilt", [(0,), (1,), (0, 1)])
def test_a_weight_that_is_not_finite_is_infinitely_far(value, spoilt):
    """In either network, or in both at once."""
    networks = tiny.Net(), tiny.Net()
    for index in spoilt:
        torch.nn.init.constant_(networks[index].fc1.bias, value)
    assert float("inf") == relative_distances(*networks)["fc1.bias"]
