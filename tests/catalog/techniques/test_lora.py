"""Thin updates beside frozen weights, added to them at the end."""
# the expected value stands on the left

import pytest
import technique_samples as samples
import tiny
import torch
from technique_samples import composed, trained
from torch import nn

from suite.core.errors import UnavailableError, UsageError
from suite.registry import REGISTRY
from suite.training.surgery.adapters import adapted


@pytest.fixture(scope="module")
def fitted():
    return tiny.fitted()


def test_linear_weights_change_by_a_matrix_of_the_rank_and_nothing_else_changes(fitted):
    """A rank of 2 in a layer of 72 x 16; the network has its own layers again, all of which can be trained."""
    found = trained("lora(rank=2)", fitted=fitted).network
    before, after = tiny.state(fitted.network), tiny.state(found)
    assert 2 == torch.linalg.matrix_rank(after["fc1.weight"] - before["fc1.weight"], rtol=1e-3)
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert {"fc1.weight", "fc2.weight"} == changed
    assert type(found.fc1) is nn.Linear
    assert all(weight.requires_grad for weight in found.parameters())


def test_the_merged_layer_answers_as_the_adapter_did():
    """W x + b + alpha / rank * up down x."""
    layer, x = nn.Linear(5, 3), torch.randn(4, 5)
    weight = layer.weight.detach().clone()
    with adapted(layer, 2, 4.0, "lora") as tuned:
        torch.testing.assert_close(layer(x), tuned(x))
        nn.init.normal_(tuned.up)
        expected = tuned(x).detach()
        update = (4.0 * tuned.up @ tuned.down).detach()
        assert {"up", "down"} == {name for name, one in tuned.named_parameters() if one.requires_grad}
    torch.testing.assert_close(expected, layer(x).detach())
    torch.testing.assert_close(weight + update, layer.weight.detach())


def test_frozen_weights_have_no_gradient():
    """That is where the memory is saved."""
    network = tiny.Net()
    with adapted(network, 2, 1.0, "lora") as tuned:
        tuned(torch.zeros(2, 1, 8, 8)).sum().backward()
        assert {"fc1.up", "fc1.down", "fc2.up", "fc2.down"} == {
            name for name, one in tuned.named_parameters() if one.grad is not None
        }


def test_what_was_frozen_before_stays_frozen():
    """A user's own choice."""
    network = tiny.Net()
    network.conv.requires_grad_(False)
    with adapted(network, 2, 1.0, "lora"):
        pass
    assert {"conv.0.weight", "conv.0.bias", "conv.2.weight", "conv.2.bias"} == {
        name for name, one in network.named_parameters() if not one.requires_grad
    }


def test_without_epochs_the_network_stays_what_it_was(fitted):
    """An update that starts at zero."""
    assert tiny.equal_states(tiny.state(fitted.network), tiny.state(trained("lora(epochs=0)", fitted=fitted).network))


@pytest.mark.parametrize("text", ["magnitude_pruning(epochs=0)+lora", "prune_at_init+lora"])
def test_what_holds_weights_makes_it_unavailable(text, fitted):
    """The merged update would fill the zeros."""
    with pytest.raises(UnavailableError, match="lora: an earlier technique holds weights"):
        trained(text, fitted=fitted)


def test_it_may_precede_what_prunes(fitted):
    """The masks are chosen of the merged weights."""
    found = trained("lora(epochs=1)+magnitude_pruning(sparsity=0.5,epochs=1)", fitted=fitted).network
    assert (found.fc1.weight == 0).any()


def test_a_network_without_linear_layers_is_unavailable():
    """It says so."""
    plain = samples.recipe_of(lambda: nn.Conv2d(1, 2, 3), torch.randn(4, 1, 4, 4))
    with pytest.raises(UnavailableError, match="lora: the network has no Linear layer in it"):
        trained("lora", plain, tiny.fitted(plain))


@pytest.mark.parametrize("given", ["rank=0", "alpha=0.0", "epochs=-1"])
def test_parameters_out_of_range_are_errors(given):
    """They name the parameter and its value."""
    name, _, value = given.partition("=")
    with pytest.raises(UsageError, match=f"lora: {name} must be .*, got {value}"):
        composed(f"lora({given})")


def test_its_control_fine_tunes_all_weights_as_long():
    """An equal budget of epochs."""
    assert "extra_epochs(epochs=2)" == REGISTRY.control(REGISTRY.resolve("lora(epochs=2)")).name
