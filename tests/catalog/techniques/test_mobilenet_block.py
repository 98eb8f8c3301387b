"""Convolutions as blocks with linear bottlenecks: same shapes, fewer weights and products, new training."""
# the expected value stands on the left

import pytest
import technique_samples as samples
import tiny
import torch
from hypothesis import given
from hypothesis import strategies as st
from technique_samples import composed
from torch import nn

from suite.catalog.workloads.digits_cnn import digits_cnn
from suite.core.errors import UnavailableError, UsageError
from suite.measure.macs import macs_of
from suite.measure.size import parameters
from suite.training.loop import built
from suite.training.surgery.bottlenecks import InvertedResidual, LinearBottleneck


@given(st.integers(1, 4), st.integers(1, 13), st.integers(2, 3), st.integers(1, 2), st.integers(2, 6))
def test_a_block_answers_in_the_shape_of_the_layer_that_it_replaces(inputs, outputs, kernel, stride, expansion):
    """Weights are C k^2 + C b + t b (2 b + 9) + b N, and two for each channel of a norm."""
    layer = nn.Conv2d(inputs, outputs, kernel, stride, 1)
    found, images = LinearBottleneck(layer, expansion=expansion), torch.zeros(2, inputs, 7, 7)
    assert layer(images).shape == found(images).shape
    narrow = max(1, outputs // expansion)
    hidden = expansion * narrow
    weights = inputs * kernel**2 + inputs * narrow + hidden * (2 * narrow + 9) + narrow * outputs
    assert weights + 2 * (inputs + 2 * narrow + 2 * hidden + outputs) == parameters(found)


def test_the_bottleneck_is_added():
    """A path that answers zero leaves it as it is."""
    bottlenecks, block = torch.randn(2, 4, 6, 6), InvertedResidual(4, 2).eval()
    nn.init.zeros_(block.path[-1].weight)
    torch.testing.assert_close(bottlenecks, block(bottlenecks))


def test_the_inner_block_is_torchvisions():
    """The same answers with the same weights."""
    from torchvision.models.mobilenetv2 import InvertedResidual as Theirs  # seconds to import

    ours, theirs = InvertedResidual(4, 6).eval(), Theirs(4, 4, 1, 6).eval()
    values = list(theirs.state_dict().values())
    ours.load_state_dict(dict(zip(ours.state_dict(), values, strict=True)))
    images = torch.randn(2, 4, 6, 6)
    torch.testing.assert_close(theirs(images), ours(images))


def test_no_activation_reads_a_bottleneck(monkeypatch):
    """Functional ones included: in the article's network bottlenecks have 10 channels, and widened ones 60."""
    network, seen = built(composed("mobilenet_block", digits_cnn(0)), 0).eval(), set()
    plain, clipped = torch.relu, nn.ReLU6.forward
    monkeypatch.setattr(torch, "relu", lambda x: (seen.add(x.shape[1]), plain(x))[1])
    monkeypatch.setattr(nn.ReLU6, "forward", lambda self, x: (seen.add(x.shape[1]), clipped(self, x))[1])
    network(torch.zeros(1, 1, 28, 28))
    assert {32, 60, 64, 128} == seen


@pytest.mark.parametrize("expansion", [1, 2, 3, 6])
def test_the_article_network_gets_smaller_and_cheaper(expansion):
    """The first convolution stays; 225,034 weights and 2,631,040 products become less."""
    network = built(composed(f"mobilenet_block(expansion={expansion})", digits_cnn(0)), 0).eval()
    assert type(network.conv1) is nn.Conv2d
    assert parameters(network) < 225_034
    assert macs_of(network, torch.zeros(1, 1, 28, 28)) < 2_631_040


def test_a_layer_that_would_not_get_smaller_stays_and_where_all_do_it_is_unavailable():
    """Two channels have nothing to save."""
    model = lambda: nn.Sequential(nn.Conv2d(1, 2, 3), nn.Conv2d(2, 2, 3))  # noqa: E731
    with pytest.raises(UnavailableError, match="no convolution gets smaller as a block of expansion 6"):
        composed("mobilenet_block", tiny.recipe(model=model)).model()


def test_it_is_trained_from_scratch_and_learns():
    """The loop, the optimizer and the data are the plain recipe's."""
    found = tiny.fitted(composed("mobilenet_block(expansion=2)", tiny.recipe(epochs=8))).network
    test = tiny.splits(0).test
    assert (found(test.inputs).argmax(1) == test.targets).float().mean() > 0.9


def test_it_composes_with_what_scales_channels():
    """A model that takes a width still does."""
    found = composed("mobilenet_block(expansion=2)+narrow(width=0.75)").model()
    assert (6, 6) == (found.conv[0].out_channels, found.conv[2][0].out_channels)


@pytest.mark.parametrize("model", [samples.HeadFirst, lambda: nn.Conv2d(1, 4, 3), samples.Volumes])
def test_a_network_without_such_convolutions_is_unavailable(model):
    """With the reason and the technique's own name."""
    with pytest.raises(UnavailableError, match="mobilenet_block: the network has no ungrouped Conv2d larger than 1x1"):
        composed("mobilenet_block", tiny.recipe(model=model)).model()


def test_an_expansion_below_one_is_refused():
    """Before anything is built."""
    with pytest.raises(UsageError, match="expansion must be a whole number from 1 on, got 0"):
        composed("mobilenet_block(expansion=0)")
