"""Training with rounding in the graph, and the int8 network that is served."""
# the expected value stands on the left

import copy
from dataclasses import replace

import pytest
import tiny
import torch
from technique_samples import composed, trained
from torch import nn

from suite.core.errors import CompositionError, UnavailableError, UsageError
from suite.registry import REGISTRY
from suite.training.surgery import quantization_training

TEST = tiny.splits(0).test


class Normed(nn.Module):
    """A convolution, a batch norm and a Linear; inputs [B, 1, 8, 8], outputs [B, 2]."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm, self.head = nn.Conv2d(1, 8, 3), nn.BatchNorm2d(8), nn.Linear(8, 2)

    def forward(self, x):
        return self.head(torch.relu(self.norm(self.conv(x))).mean((2, 3)))


def normed():
    return tiny.recipe(model=Normed, epochs=8)


@pytest.fixture(scope="module")
def found():
    pytest.importorskip("torchao")
    return trained("qat", normed(), tiny.fitted(normed()))


def targets(network):
    return [str(node.target) for node in network.graph.nodes if node.op == "call_function"]


@pytest.mark.system  # torchao takes seconds to import
def test_what_is_served_has_int8_weights_and_no_norm(found):
    """A convolution and a Linear of codes; batch normalisation is folded. Answers are those of the rounded network."""
    served = found.recipe.quantize(copy.deepcopy(found.network), None)
    assert 2 == sum("dequantize_per_channel" in target for target in targets(served))
    assert not any("batch_norm" in target for target in targets(served))
    assert 2 == sum(tensor.dtype is torch.int8 for tensor in served.buffers())
    with torch.no_grad():
        expected, answers = found.network(TEST.inputs), served(TEST.inputs)
    assert float((expected - answers).norm()) < 0.03 * float(expected.norm())
    assert (answers.argmax(1) == TEST.targets).float().mean() > 0.9


@pytest.mark.system
def test_evaluation_changes_no_range_and_no_statistics(found):
    """Inputs a hundred times as large as those of training."""
    before = tiny.state(found.network)
    with torch.no_grad():
        found.network(100 * TEST.inputs)
    assert tiny.equal_states(before, tiny.state(found.network))


@pytest.mark.system
def test_ranges_follow_training_until_they_are_frozen():
    """So do running statistics; then the norm uses them as they will be served."""
    pytest.importorskip("torchao")
    network = quantization_training.prepared(Normed(), TEST.inputs).train()
    states = [tiny.state(network)]
    for _ in range(2):
        network(3 * TEST.inputs)
        states.append(tiny.state(network))
        network.freeze()
    assert not torch.equal(states[0]["graph.norm.running_mean"], states[1]["graph.norm.running_mean"])
    assert {"scale"} <= {
        name.rpartition(".")[2] for name in states[0] if not torch.equal(states[0][name], states[1][name])
    }
    activations = {name for name in states[1] if "min_val" in name or "max_val" in name or "running" in name}
    assert all(torch.equal(states[1][name], states[2][name]) for name in activations)
    network(TEST.inputs).sum().backward()
    assert all(weight.grad is not None for weight in network.parameters())


@pytest.mark.system
def test_copies_and_pickles_answer_as_the_network_does(found):
    """Another process exports it again."""
    cloudpickle = pytest.importorskip("cloudpickle")
    with torch.no_grad():
        expected = found.network(TEST.inputs)
        for again in (copy.deepcopy(found.network), cloudpickle.loads(cloudpickle.dumps(found.network))):
            assert torch.equal(expected, again(TEST.inputs))
            assert torch.equal(expected, again.train().eval()(TEST.inputs))


@pytest.mark.system
def test_weights_that_were_pruned_stay_zero():
    """Masks hold the exported network's weights, which are the network's own."""
    pytest.importorskip("torchao")
    network = trained("magnitude_pruning(sparsity=0.5,epochs=0)+qat(epochs=2)", normed(), tiny.fitted(normed())).network
    weights = [weight for weight in network.parameters() if weight.dim() > 1]
    assert sum(int((w == 0).sum()) for w in weights) >= sum(w.numel() for w in weights) // 2


def test_tied_weights_are_unavailable_before_anything_is_exported():
    """Their codes would be a second copy."""
    network = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
    network[1].weight = network[0].weight
    with pytest.raises(UnavailableError, match="are tied"):
        quantization_training.prepared(network, torch.zeros(2, 4))


def test_a_network_that_was_not_prepared_is_converted_to_itself():
    """What another technique made of it."""
    network = nn.Linear(2, 2)
    assert network is quantization_training.converted(network)


def test_it_is_compared_at_equal_epochs_and_alone_quantizes():
    """Fewer epochs than none are an error."""
    assert "extra_epochs(epochs=2)" == REGISTRY.control(REGISTRY.resolve("qat(epochs=2)")).name
    with pytest.raises(CompositionError, match="use one of them"):
        composed("qat+static_int8")
    with pytest.raises(UsageError, match="qat: epochs must be 0 or more, got -1"):
        composed("qat(epochs=-1)", replace(tiny.recipe()))
