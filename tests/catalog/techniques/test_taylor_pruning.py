"""Channels go by what the loss would lose with them."""
# the expected value stands on the left

import pytest
import tiny
import torch
from technique_samples import composed, trained
from torch import nn

from suite.core.errors import UsageError
from suite.registry import REGISTRY

pytest.importorskip("torch_pruning")


class Wide(nn.Module):
    """A hidden layer of four units; inputs [B, 1, 8, 8], outputs [B, 2]."""

    def __init__(self):
        super().__init__()
        self.hidden, self.head = nn.Linear(64, 4), nn.Linear(4, 2)

    def forward(self, x):
        return self.head(torch.relu(self.hidden(x.flatten(1))))


def test_a_unit_of_large_weights_that_nothing_depends_on_goes_first():
    """By magnitude it would stay: its own weights are ten times the others', and no output reads it."""
    plain = tiny.recipe(model=Wide)
    fitted = tiny.fitted(plain)
    with torch.no_grad():
        fitted.network.hidden.weight[2] *= 10
        fitted.network.head.weight[:, 2] = 0
    expected = fitted.network.hidden.weight[[0, 1, 3]]
    found = trained("taylor_pruning(ratio=0.25,epochs=0)", plain, fitted).network
    assert torch.equal(expected, found.hidden.weight)
    other = trained("structured_pruning(ratio=0.25,epochs=0)", plain, fitted).network
    assert not torch.equal(expected, other.hidden.weight)


def test_half_of_the_channels_go_and_the_rest_learns():
    """Nine of ten right; no gradient is left behind."""
    network = trained("taylor_pruning(ratio=0.5,epochs=3)").network
    assert [4, 4, 8, 2] == [one.weight.shape[0] for one in (network.conv[0], network.conv[2], network.fc1, network.fc2)]
    test = tiny.splits(0).test
    assert (network(test.inputs).argmax(1) == test.targets).float().mean() > 0.9
    assert all(weight.grad is None for weight in network.parameters())


@pytest.mark.parametrize("given", ["ratio=1.0", "ratio=-0.1", "epochs=-1"])
def test_parameters_out_of_range_are_errors(given):
    """They name the parameter and its value."""
    name, _, value = given.partition("=")
    with pytest.raises(UsageError, match=f"taylor_pruning: {name} must be .*, got {value}"):
        composed(f"taylor_pruning({given})")


def test_its_control_trains_as_long():
    """An equal budget of epochs."""
    assert "extra_epochs(epochs=2)" == REGISTRY.control(REGISTRY.resolve("taylor_pruning(epochs=2)")).name
