"""One network at four widths: shared corners of weights, norms of one's own, and a plain network that is served."""
# the expected value stands on the left

from dataclasses import replace

import pytest
import technique_samples as samples
import tiny
import torch
import torch.nn.functional as F  # noqa: N812  # torch's own convention
from technique_samples import composed, trained
from torch import nn

from suite.core.errors import UnavailableError, UsageError
from suite.registry import REGISTRY
from suite.training.loop import built, loss_of
from suite.training.surgery.slimming import Slimmable

WIDTHS = (0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1.0)
TEST = tiny.splits(0).test


class Normed(nn.Module):
    """A convolution, a batch norm and a Linear; inputs [B, 1, 8, 8], outputs [B, 2]."""

    def __init__(self, width=1.0):
        super().__init__()
        channels = round(8 * width)
        self.conv, self.norm, self.head = nn.Conv2d(1, channels, 3), nn.BatchNorm2d(channels), nn.Linear(channels, 2)

    def forward(self, x):
        return self.head(torch.relu(self.norm(self.conv(x))).mean((2, 3)))


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("model", [tiny.Net, Normed])
def test_what_is_served_is_a_plain_network_of_the_width(width, model):
    """The class, the shapes and the names that the model itself builds, with the answers of the shared network."""
    plain = tiny.recipe(model=model, epochs=1)
    network = tiny.fitted(replace(composed(f"slimmable(width={width})", plain), finish=lambda n, _: n)).network
    found = network.extracted().eval()
    assert type(found) is model
    shapes = {name: tensor.shape for name, tensor in model(width=width).state_dict().items()}
    assert shapes == {name: tensor.shape for name, tensor in found.state_dict().items()}
    torch.testing.assert_close(network(TEST.inputs), found(TEST.inputs))


def test_narrow_weights_are_the_first_channels_and_statistics_are_the_widths_own():
    """A quarter of 8 channels are the first two; each width's norm has seen other values."""
    network = built(composed("slimmable(width=0.25)", tiny.recipe(model=Normed)), 0).train()
    network(torch.randn(16, 1, 8, 8))
    narrow = network.extracted()
    assert torch.equal(network.whole.conv.weight[:2], narrow.conv.weight)
    means = [norms[0].running_mean[:2] for norms in network.norms]
    seen = [mean for mean in means if mean.any()]
    torch.testing.assert_close(seen[0], seen[1])  # of the same first layer, on the same batch
    assert 3 == len(seen)
    assert 6 == len({id(norms[0]) for norms in network.norms})
    assert narrow.norm.running_mean.abs().sum() > 0


def test_a_step_trains_the_smallest_the_whole_and_two_random_widths():
    """Labels teach the whole network, and it teaches the others; losses are added up."""
    recipe = composed("slimmable")
    network, batch = built(recipe, 0).train(), next(tiny.batches(tiny.splits(0).train, torch.Generator()))
    outputs = network(batch.inputs)
    whole, *others = outputs.answers
    torch.testing.assert_close(network.whole(batch.inputs), whole)
    assert 3 == len(others)
    teacher = whole.detach().softmax(1)
    divergences = [(teacher * (teacher.log() - one.answer.log_softmax(1))).sum(1).mean() for one in others]
    found = loss_of(tiny.trainee(recipe, network), batch, outputs)
    torch.testing.assert_close(F.cross_entropy(whole, batch.targets) + sum(divergences), found)
    found.backward()
    assert all(weight.grad is not None for weight in network.whole.parameters())


def test_over_the_steps_all_widths_are_trained_and_the_smallest_always():
    """Which ones is drawn."""
    network, calls = built(composed("slimmable"), 0).train(), []
    for width, narrow in network.narrow:
        narrow.register_forward_pre_hook(lambda *_, width=width: calls.append(width))
    for _ in range(20):
        network(TEST.inputs)
    assert 20 == calls.count(0.25)
    assert 60 == len(calls)
    assert set(WIDTHS[:-1]) == set(calls)


def test_the_whole_network_starts_as_the_seeds_own():
    """The narrow shapes are built after it."""
    network = built(composed("slimmable"), 0)
    assert tiny.equal_states(tiny.state(built(tiny.recipe(), 0)), tiny.state(network.whole))


@pytest.mark.parametrize("width", [0.5, 1.0])
def test_the_served_width_learns(width):
    """Nine of ten right."""
    found = trained(f"slimmable(width={width})", tiny.recipe(epochs=8)).network
    assert (found(TEST.inputs).argmax(1) == TEST.targets).float().mean() > 0.9


def test_copies_and_pruning_keep_weights_and_norms_together():
    """A copied network answers as before, and what follows is done to the plain one."""
    import copy

    network = built(composed("slimmable(width=0.5)", tiny.recipe(model=Normed)), 0).eval()
    torch.testing.assert_close(network(TEST.inputs), copy.deepcopy(network)(TEST.inputs))
    found = trained("slimmable+magnitude_pruning(epochs=1)").network
    assert type(found) is tiny.Net


def test_only_widths_that_are_trained_can_be_served_and_the_control_is_that_width_alone():
    """The error lists them."""
    with pytest.raises(UsageError, match=r"slimmable: width must be one of 0.25, 0.375, .* got 0.3"):
        composed("slimmable(width=0.3)")
    assert "narrow(width=0.75)" == REGISTRY.control(REGISTRY.resolve("slimmable(width=0.75)")).name


def test_weights_that_are_no_corners_are_unavailable():
    """A network that gets more of something when it is narrower."""
    with pytest.raises(UnavailableError, match="weight of the narrow network is no part"):
        Slimmable(lambda width: nn.Linear(round(2 / width), 3), WIDTHS, 0.5)
    plain = tiny.recipe(model=lambda width=1.0: samples.HeadFirst() if width == 1 else tiny.Net())
    with pytest.raises(UnavailableError, match="of the narrow network is no part"):
        composed("slimmable", plain).model()
