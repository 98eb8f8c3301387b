"""Two zeros in every four neighbouring weights, before and after fine-tuning, and none where there are no fours."""
# the expected value stands on the left

import pytest
import technique_samples as samples
import tiny
import torch
from hypothesis import given
from hypothesis import strategies as st
from technique_samples import composed, trained
from torch import nn

from suite.core.errors import UnavailableError, UsageError
from suite.registry import REGISTRY
from suite.training.surgery import masks


@pytest.fixture(scope="module")
def fitted():
    return tiny.fitted()


def fours(weight):
    """Groups [M, 4] of neighbouring inputs."""
    return weight.detach().movedim(1, -1).reshape(-1, 4)


@given(st.integers(1, 3), st.integers(1, 4), st.sampled_from([(), (3, 3), (2,)]), st.integers(0, 99))
def test_the_two_largest_of_every_four_inputs_stay(outputs, groups, kernel, seed):
    """For matrices and for filters, whose inputs are their channels."""
    torch.manual_seed(seed)
    weight = nn.Parameter(torch.randn(outputs, 4 * groups, *kernel))
    keep = masks.of_four({weight: weight.abs()})[weight]
    assert weight.shape == keep.shape
    score, kept = fours(weight.abs()), fours(keep)
    assert bool((kept.sum(1) == 2).all())
    assert torch.equal(score.topk(2).values.sum(1), (score.sort().values * torch.tensor([0, 0, 1, 1])).sum(1))
    torch.testing.assert_close(score.topk(2).values.sum(1), (score * kept).sum(1))


def test_of_equal_weights_the_first_go_first():
    """The same on every device."""
    weight = nn.Parameter(torch.ones(1, 4))
    assert [[0, 0, 1, 1]] == masks.of_four({weight: weight})[weight].tolist()


@pytest.mark.parametrize("epochs", [0, 2])
def test_the_pattern_holds_through_fine_tuning(epochs, fitted):
    """The first convolution has one input and stays dense; biases stay; what is left is trained."""
    found = trained(f"semi_structured(epochs={epochs})", fitted=fitted).network
    for layer in (found.conv[2], found.fc1, found.fc2):
        assert bool(((fours(layer.weight) == 0).sum(1) == 2).all())
    assert not (found.conv[0].weight == 0).any()
    assert not (found.fc1.bias == 0).any()
    left = found.fc1.weight != 0
    assert (epochs == 0) == torch.equal(fitted.network.fc1.weight[left], found.fc1.weight[left])


def test_attention_is_masked_without_its_layers_being_called():
    """Its projections are weights like any other."""
    found = trained("semi_structured(epochs=1)", samples.attention()).network
    assert bool(((fours(found.layer.self_attn.in_proj_weight) == 0).sum(1) == 2).all())


def test_a_network_without_fours_is_unavailable():
    """With the reason."""
    with pytest.raises(UnavailableError, match="multiple of four"):
        trained("semi_structured(epochs=0)", samples.recipe_of(lambda: nn.Linear(6, 3), torch.randn(4, 6)))


def test_the_control_trains_on_for_as_long_and_fewer_than_no_epochs_are_an_error():
    """Or the gain of training longer would be the pattern's."""
    assert "extra_epochs(epochs=2)" == REGISTRY.control(REGISTRY.resolve("semi_structured(epochs=2)")).name
    with pytest.raises(UsageError, match="semi_structured: epochs must be 0 or more, got -1"):
        composed("semi_structured(epochs=-1)")
