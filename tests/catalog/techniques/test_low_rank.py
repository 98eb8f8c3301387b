"""Layers as products of thin ones: the best of their rank, where that saves weights, and nowhere else."""
# the expected value stands on the left

from dataclasses import replace

import pytest
import technique_samples as samples
import tiny
import torch
from hypothesis import given
from hypothesis import strategies as st
from technique_samples import composed, trained
from torch import nn

from suite.core.errors import UnavailableError, UsageError
from suite.measure.macs import macs
from suite.measure.size import parameters
from suite.registry import REGISTRY
from suite.training.surgery.factoring import LowRank, LowRankConv, factor


@pytest.fixture(scope="module")
def fitted():
    return tiny.fitted()


@given(st.integers(1, 4), st.booleans(), st.integers(0, 99))
def test_a_factored_layer_is_the_best_of_its_rank(rank, bias, seed):
    """What is lost is the rest of the singular values (Eckart & Young); the bias stays."""
    torch.manual_seed(seed)
    layer = nn.Linear(12, 16, bias=bias)
    found = factor(layer, 0.9, rank)
    lost = torch.linalg.svdvals(layer.weight)[rank:].square().sum().sqrt()
    torch.testing.assert_close(lost, torch.linalg.norm(layer.weight - found.weight))
    assert rank == int(torch.linalg.matrix_rank(found.weight))
    assert layer.bias is found.bias
    inputs = torch.randn(3, 12)
    torch.testing.assert_close(nn.functional.linear(inputs, found.weight, found.bias), found(inputs))


SHAPES = st.builds(
    dict,
    stride=st.sampled_from([1, 2, (1, 2)]),
    padding=st.sampled_from([0, 1, (2, 0)]),
    dilation=st.sampled_from([1, (2, 1)]),
    padding_mode=st.sampled_from(["zeros", "reflect"]),
    bias=st.booleans(),
)


@given(SHAPES, st.sampled_from([3, (3, 2), 1]), st.integers(0, 99))
def test_two_filters_are_one_of_their_rank(options, kernel, seed):
    """A column's and a row's answer as the convolution with the weight that they stand for, which is the nearest."""
    torch.manual_seed(seed)
    layer = nn.Conv2d(6, 8, kernel, **options)
    found, images = factor(layer, 0.9, 2), torch.randn(2, 6, 9, 9)
    assert isinstance(found, LowRankConv)
    assert 2 == found.rank
    matrix = layer.weight.detach().permute(0, 3, 1, 2).reshape(8 * layer.kernel_size[1], -1)
    lost = torch.linalg.svdvals(matrix)[2:].square().sum().sqrt()
    torch.testing.assert_close(lost, torch.linalg.vector_norm(layer.weight - found.weight).detach())
    layer.weight = nn.Parameter(found.weight.detach())
    torch.testing.assert_close(layer(images), found(images), rtol=1e-4, atol=1e-5)


def test_a_filter_of_full_rank_is_the_convolution_itself():
    """One direction, in all channels."""
    layer = nn.Conv2d(4, 4, 3, padding="same")
    column, row = torch.randn(4, 3), torch.randn(4, 3)
    layer.weight = nn.Parameter(torch.einsum("ci,nj->ncij", column, row))
    found, images = factor(layer, 0.999, 0), torch.randn(2, 4, 6, 6)
    assert 1 == found.rank
    torch.testing.assert_close(layer(images), found(images), rtol=1e-4, atol=1e-5)


def test_grouped_convolutions_stay():
    """They have few weights to begin with."""
    model = lambda: nn.Sequential(nn.Conv2d(8, 8, 3, groups=4), nn.Flatten(), nn.Linear(128, 16))  # noqa: E731
    plain = samples.recipe_of(model, torch.randn(4, 8, 6, 6))
    found = trained("low_rank(rank=1,epochs=0)", plain, tiny.fitted(replace(plain, epochs=0))).network
    assert [nn.Conv2d, LowRank] == [type(found[0]), type(found[2])]


@pytest.mark.parametrize(("energy", "rank"), [(0.5, 1), (0.8, 2), (0.95, 3)])
def test_the_energy_chooses_the_least_rank_that_keeps_it(energy, rank):
    """Squared singular values 70, 20, 9, 1 of a hundred: cumulated 0.70, 0.90, 0.99."""
    torch.manual_seed(0)
    u, v = (torch.linalg.qr(torch.randn(32, 32))[0] for _ in range(2))
    values = torch.zeros(32)
    values[:4] = torch.tensor([70.0, 20.0, 9.0, 1.0]).sqrt()
    layer = nn.Linear(32, 32)
    layer.weight = nn.Parameter(u @ values.diag() @ v)
    assert rank == factor(layer, energy, 0)[0].out_features


def test_a_layer_that_would_not_get_smaller_stays(fitted):
    """At rank 4, 72 x 16 saves 800 weights and 8 x 8 x 3 x 3 saves 384; 16 x 2 and 1 x 8 x 3 x 3 save none."""
    found = trained("low_rank(rank=4,epochs=0)", fitted=fitted).network
    assert isinstance(found.fc1, LowRank)
    assert type(found.fc2) is nn.Linear
    assert torch.equal(fitted.network.conv[0].weight, found.conv[0].weight)
    assert isinstance(found.conv[2], LowRankConv)
    assert 800 + 384 == parameters(fitted.network) - parameters(found)


def test_everything_at_full_energy_is_the_network_itself(fitted):
    """No layer saves anything at full rank."""
    found = trained("low_rank(energy=1.0,epochs=0)", fitted=fitted).network
    assert tiny.equal_states(tiny.state(fitted.network), tiny.state(found))


def test_a_factored_network_computes_less_and_is_fine_tuned(fitted):
    """The convolution computes 6 x 8 and 6 x 6 places; the factors are trained; two runs agree to the last bit."""
    plain, tuned, again = (trained(f"low_rank(rank=4,epochs={epochs})", fitted=fitted) for epochs in (0, 1, 1))
    assert 800 + 36 * 576 - 48 * 96 - 36 * 96 == macs(fitted) - macs(plain)
    assert not torch.equal(plain.network.fc1[0].weight, tuned.network.fc1[0].weight)
    assert tiny.equal_states(tiny.state(tuned.network), tiny.state(again.network))


def test_an_encoder_answers_with_factored_layers_by_either_path():
    """Torch's fast path reads the layers' weights itself; attention's own projections stay as they are."""
    found = trained("low_rank(rank=2,epochs=1)", samples.attention(), tiny.fitted(samples.attention())).network
    assert isinstance(found.layer.linear1, LowRank)
    assert not isinstance(found.layer.self_attn.out_proj, LowRank)
    inputs = torch.randn(3, 5, 8)
    with torch.no_grad():
        fast = found(inputs)
    torch.testing.assert_close(fast, found(inputs).detach())  # gradients wanted: the slow path


class Shared(nn.Module):
    """Two layers of one weight, and one layer under two names; inputs and outputs [B, 12]."""

    def __init__(self):
        super().__init__()
        self.first, self.second, self.third = (nn.Linear(12, 12) for _ in range(3))
        self.second.weight = self.first.weight
        self.again = self.third

    def forward(self, x):
        return self.again(self.third(self.second(self.first(x))))


def low_rank(model, size):
    return trained("low_rank(rank=1,epochs=0)", samples.recipe_of(model, torch.randn(4, size)),
                   tiny.fitted(samples.recipe_of(model, torch.randn(4, size), epochs=0))).network  # fmt: skip


def test_weights_that_are_shared_stay_shared():
    """A factor of one of them would part them."""
    with pytest.raises(UnavailableError, match="no Linear layer or convolution with a weight of its own"):
        low_rank(Shared, 12)


def test_a_network_that_is_one_layer_is_factored_too():
    """It is replaced as a whole."""
    assert isinstance(low_rank(lambda: nn.Linear(12, 12), 12), LowRank)


@pytest.mark.parametrize("given_", ["energy=0.0", "energy=1.5", "rank=-1", "epochs=-1"])
def test_parameters_out_of_range_are_errors(given_):
    """They name the parameter and its value."""
    name, _, value = given_.partition("=")
    with pytest.raises(UsageError, match=f"low_rank: {name} must be .*got {value}"):
        composed(f"low_rank({given_})")


def test_low_rank_composes_with_pruning_and_is_compared_at_equal_epochs(fitted):
    """Masks lie on the factors; the epochs of both add up in the control."""
    text = "low_rank(rank=4,epochs=1)+magnitude_pruning(sparsity=0.5,epochs=1)"
    assert "extra_epochs(epochs=1)+extra_epochs(epochs=1)" == REGISTRY.control(REGISTRY.resolve(text)).name
    found = trained(text, fitted=fitted).network
    assert (found.fc1[0].weight == 0).any()


def test_one_rank_more_is_the_step_that_another_machine_may_be_off():
    """Its rank follows trained weights, so that its sizes are not exact."""
    layer = nn.Linear(12, 16, bias=False)
    fewer, more = factor(layer, 0.9, 2), factor(layer, 0.9, 3)
    assert parameters(more) - parameters(fewer) == fewer.parameters_per_step
    sizes = {"parameters", "nonzero_parameters", "artefact_bytes", "macs"}
    assert sizes == REGISTRY.resolve("low_rank").sizes_follow_weights
    assert sizes == REGISTRY.resolve("low_rank+static_int8").sizes_follow_weights


@pytest.mark.parametrize(
    ("name", "follow"),
    [("baseline", set()), ("magnitude_pruning", set()), ("simulated_qat", {"nonzero_parameters"}),
     ("deep_compression", {"nonzero_parameters", "artefact_bytes"})],
)  # fmt: skip
def test_what_rounds_weights_decides_which_are_zero(name, follow):
    """A technique with the slot `quantize` has no exact count of them; a mask has."""
    assert follow == REGISTRY.resolve(name).sizes_follow_weights
