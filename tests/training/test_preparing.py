"""What prepares a network for training wraps it, and does not train it: no clock runs yet."""
# the expected value stands on the left

from dataclasses import replace

import pytest
import tiny
import torch
from torch import nn

from suite.core.errors import TechniqueError
from suite.training.preparing import prepared

PREPARES = "slot prepare changes fc2.bias"


def step(network, count=1):
    optimizer = torch.optim.SGD(network.parameters(), 0.1)
    for _ in range(count):
        network(tiny.splits(0).train.inputs).square().mean().backward()
        optimizer.step()
    return network


def biased(network):
    network.fc2.bias.data.add_(1e-3)
    return network


def halved_type(network):
    return network.bfloat16()


def masked(network):
    with torch.no_grad():
        network.fc1.weight[:3] = 0
    return network


def parametrized(network):
    nn.utils.parametrizations.weight_norm(network.fc1)
    return network.__call__


@pytest.mark.parametrize("change", [masked, halved_type, parametrized, lambda network: network.__call__])
def test_a_network_may_be_wrapped_masked_rounded_and_parametrized(change):
    assert callable(prepared(tiny.Net(), tiny.recipe(prepare=change)))


def test_weights_that_move_are_an_error():
    with pytest.raises(TechniqueError, match=PREPARES):
        prepared(tiny.Net(), tiny.recipe(prepare=biased))


def test_steps_of_an_optimizer_are_an_error_of_the_training():
    with pytest.raises(TechniqueError, match="no training clock runs yet"):
        tiny.fitted(prepare=step)


def test_test_data_cannot_be_read():
    plain = tiny.recipe()
    with pytest.raises(TechniqueError, match="preparing reads the test part"):
        tiny.fitted(replace(plain, prepare=lambda network: network if plain.data().test.inputs.sum() else None))


def test_a_first_call_that_trains_is_an_error():
    """Warming up is outside of the clock, too."""

    def loss(trainee, batch, output):
        if not trainee.steps:
            biased(trainee.network)
        return tiny.recipe().loss(trainee, batch, output)

    with pytest.raises(TechniqueError, match=r"fc2\.bias changes when one batch warms the network up"):
        tiny.fitted(loss=loss)
