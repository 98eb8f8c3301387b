"""Networks in segments that are computed again: the same outputs, gradients and statistics from less memory."""
# the expected value stands on the left

import copy

import pytest
import tiny
import torch
from torch import nn

from suite.core.errors import UnavailableError
from suite.measure.memory import peak_bytes
from suite.training.surgery.segments import checkpointed, cut


def deep():
    """Fourteen operations whose results are large beside the weights."""
    layers = [nn.Sequential(nn.Conv2d(4, 4, 3, padding=1), nn.BatchNorm2d(4), nn.Dropout(0.2)) for _ in range(4)]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(4 * 256, 3))


def linear(count):
    """So many operations, each of whose results is needed in backward."""
    return nn.Sequential(*(nn.Linear(3, 3) for _ in range(count)))


def step(call, inputs, seed=5):
    torch.manual_seed(seed)
    output = call(inputs)
    output.square().mean().backward()
    return output.detach()


@pytest.mark.parametrize("segments", [0, 2, 5])
def test_outputs_gradients_statistics_and_random_numbers_are_those_of_the_network(segments):
    """Dropout draws alike both times; batch normalisation counts a batch once."""
    torch.manual_seed(0)
    plain, inputs = deep(), torch.randn(8, 4, 16, 16)
    other = copy.deepcopy(plain)
    torch.testing.assert_close(step(plain, inputs), step(checkpointed(other, segments), inputs))
    for first, second in zip(plain.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(first.grad, second.grad)
    assert 1 == int(other[0][1].num_batches_tracked)
    assert 0.1 == other[0][1].momentum
    torch.testing.assert_close(dict(plain.named_buffers()), dict(other.named_buffers()))


def test_a_steps_peak_memory_falls():
    """By more than a third for a network of sixteen operations."""
    network, inputs = linear(16), torch.randn(4096, 3)
    plain = peak_bytes(lambda: step(network, inputs), "cpu")
    assert peak_bytes(lambda: step(checkpointed(network, 0), inputs), "cpu") < 2 / 3 * plain


def test_evaluation_mode_reaches_the_segments():
    """The layers are the network's own."""
    network, inputs = deep(), torch.randn(8, 4, 16, 16)
    call = checkpointed(network, 3)
    network.eval()
    torch.testing.assert_close(network(inputs), call(inputs))


@pytest.mark.parametrize(("model", "count"), [(tiny.Net, 3), (deep, 3), (lambda: linear(16), 4)])
def test_the_root_of_the_operations_is_the_number_of_segments(model, count):
    """Rounded down."""
    assert count == len(list(cut(model(), 0).children()))


class Tied(nn.Module):
    """Scores of tokens [B, T] from the embedding's own weights, as language models have them."""

    def __init__(self):
        super().__init__()
        self.table, self.mix = nn.Embedding(5, 4), nn.Linear(4, 4)

    def forward(self, tokens):
        return nn.functional.linear(torch.relu(self.mix(self.table(tokens))), self.table.weight)


@pytest.mark.parametrize("segments", [2, 3, 4])
def test_a_weight_that_is_read_without_its_layer_is_the_networks_own(segments):
    """Its gradient is the sum of both uses, wherever the network is cut."""
    plain, tokens = Tied(), torch.arange(10).reshape(2, 5) % 5
    other = copy.deepcopy(plain)
    call = checkpointed(other, segments)
    torch.testing.assert_close(step(plain, tokens), step(call, tokens))
    for first, second in zip(plain.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(first.grad, second.grad)


class Undecided(nn.Module):
    """Goes another way for other data."""

    def forward(self, x):
        return x.relu() if float(x.sum()) > 0 else x


class Writes(nn.Module):
    """Adds to what an earlier operation computed."""

    def forward(self, x):
        return x.cos().mul_(2).sin()


@pytest.mark.parametrize(
    ("network", "segments", "reason"),
    [
        (Undecided(), 0, "cannot be followed"),
        (nn.Sequential(nn.Linear(3, 3)), 0, "too few"),
        (Writes(), 3, "mul_ writes into its input"),
    ],
)
def test_a_network_that_cannot_be_cut_is_told_why(network, segments, reason):
    """Instead of gradients that are silently wrong, or a saving that is none."""
    with pytest.raises(UnavailableError, match=reason):
        cut(network, segments)
