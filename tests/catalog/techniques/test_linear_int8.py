"""Linear layers in int8, their activations on the fly or not at all; convolutions as they were."""
# the expected value stands on the left

import io
from dataclasses import replace

import pytest
import technique_samples as samples
import tiny
import torch
from technique_samples import composed
from torch import nn

from suite.core.errors import CompositionError, UnavailableError
from suite.measure.size import serialized
from suite.training.recipe import changed_slots
from suite.training.serving import predict, serve

WEIGHT_ONLY = pytest.param("weight_only_int8", marks=pytest.mark.system)  # torchao takes seconds to import
BOTH = ["dynamic_int8", WEIGHT_ONLY]


@pytest.fixture(scope="module")
def fitted():
    return tiny.fitted()


def served(name, fitted):
    return serve(replace(fitted, recipe=composed(name)))


def conv_of(network):
    return network.get_submodule("conv.0").weight.detach()


@pytest.mark.parametrize("name", BOTH)
def test_linear_layers_are_int8_and_convolutions_are_not(name, fitted):
    """Answers stay close; the trained network keeps its own weights."""
    before = tiny.state(fitted.network)
    found = served(name, fitted)
    inputs = tiny.splits(0).test.inputs
    expected = fitted.network(inputs).detach()
    assert 0 < float((expected - predict(found, inputs, batch=16)).norm()) < 0.05 * float(expected.norm())
    assert torch.equal(before["conv.0.weight"], conv_of(found.network))
    assert tiny.equal_states(before, tiny.state(fitted.network))


def test_dynamic_weights_are_int8_of_the_shape_that_they_had(fitted):
    """Both Linear layers; none is a parameter any more."""
    found = served("dynamic_int8", fitted).network
    assert [torch.qint8] * 2 == [layer.weight().dtype for layer in (found.fc1, found.fc2)]
    assert fitted.network.fc1.weight.shape == found.fc1.weight().shape
    assert {"conv.0.weight", "conv.0.bias", "conv.2.weight", "conv.2.bias"} == dict(found.named_parameters()).keys()


def test_weights_are_rounded_to_the_nearest_of_their_step(fitted):
    """255 steps over the range of a tensor: no weight moves by more than half of one."""
    weight, found = fitted.network.fc1.weight.detach(), served("dynamic_int8", fitted).network.fc1.weight()
    assert (weight - found.dequantize()).abs().max() <= 0.5001 * found.q_scale()


@pytest.mark.parametrize("name", BOTH)
def test_what_ships_is_the_saved_state_and_smaller_where_linear_layers_are_large(name):
    """A network of 4 x 65,536 weights: a quarter of the bytes and a little more."""
    plain = samples.recipe_of(lambda: nn.Sequential(*(nn.Linear(256, 256) for _ in range(4))), torch.randn(4, 256))
    trained = tiny.fitted(replace(plain, epochs=0))
    before, _ = serialized(serve(trained))
    after, exact = serialized(serve(replace(trained, recipe=composed(name, plain))))
    assert 0.25 * len(before) < len(after) < 0.3 * len(before)
    assert not exact  # torch.save's records differ between versions


@pytest.mark.filterwarnings("ignore:TypedStorage")  # torch.load's own, of quantized tensors
def test_the_saved_state_loads_to_the_same_answers(fitted):
    """Into a network that was quantized in the same way."""
    first, other = (served("dynamic_int8", found).network for found in (fitted, tiny.fitted(seed=1)))
    inputs = tiny.splits(0).test.inputs
    assert not torch.equal(first(inputs), other(inputs))
    other.load_state_dict(torch.load(io.BytesIO(composed("dynamic_int8").runtime.encode(first)), weights_only=False))
    assert torch.equal(first(inputs), other(inputs))


@pytest.mark.parametrize("name", BOTH)
def test_a_network_without_linear_layers_has_nothing_to_quantize(name):
    """Unavailable, instead of float32 under the name of int8."""
    with pytest.raises(UnavailableError, match=f"{name}: the network has no Linear layer"):
        composed(name).quantize(nn.Conv2d(1, 2, 3), None)


def test_dynamic_int8_is_for_cpus():
    """The reason names where the network is."""
    with pytest.raises(UnavailableError, match=r"dynamic_int8: .* CPUs alone, and the network is on meta"):
        composed("dynamic_int8").quantize(nn.Linear(2, 2, device="meta"), None)


@pytest.mark.parametrize("name", BOTH)
def test_int8_goes_on_from_what_was_quantized_before_and_from_pruning(name):
    """Earlier quantizers come first; zeros stay zeros."""
    seen = []
    recipe = composed(name, tiny.recipe(quantize=lambda network, inputs: seen.append(len(inputs)) or network))
    network = tiny.Net()
    with torch.no_grad():
        network.fc1.weight[:, ::2] = 0
    found = recipe.quantize(network, torch.zeros(3, 1, 8, 8)).fc1.weight
    assert [3] == seen
    assert (found().dequantize() if callable(found) else found.dequantize())[:, ::2].count_nonzero() == 0


@pytest.mark.parametrize("name", ["dynamic_int8", "weight_only_int8"])
def test_training_is_left_alone_and_quantizers_exclude_one_another(name):
    """Two quantizers of one network would each show the other's figures."""
    plain = tiny.recipe()
    assert ("quantize", "runtime") == changed_slots(plain, composed(name, plain))
    for other in ("pure_bf16", "static_int8"):
        with pytest.raises(CompositionError, match="use one of them"):
            composed(f"{name}+{other}")


@pytest.mark.parametrize("name", BOTH)
def test_an_encoder_in_int8_answers_nearly_as_before(name):
    """Torch's fast path reads the layers' weights itself."""
    torch.manual_seed(0)
    plain = samples.attention()
    network, inputs = plain.model().eval(), torch.randn(6, 5, 8)
    with torch.no_grad():
        before = network(inputs)
        after = composed(name, plain).quantize(network, inputs)(inputs)
    assert 0 < float((before - after).norm()) < 0.05 * float(before.norm())
