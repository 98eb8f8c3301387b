"""Convolutions as inverted residual blocks: same shapes, a sum where shapes allow it, new training."""
# the expected value stands on the left

import pytest
import technique_samples as samples
import tiny
import torch
from hypothesis import given
from hypothesis import strategies as st
from technique_samples import composed
from torch import nn

from suite.catalog.techniques.mobilenet_block import _Block
from suite.catalog.workloads.digits_cnn import digits_cnn
from suite.core.errors import UnavailableError, UsageError
from suite.measure.size import parameters
from suite.training.loop import built


@given(st.integers(1, 4), st.integers(1, 6), st.integers(2, 3), st.integers(1, 2), st.integers(1, 3))
def test_a_block_answers_in_the_shape_of_the_layer_that_it_replaces(inputs, outputs, kernel, stride, expansion):
    """Weights are t C (C + k * k + N) and two for each norm; nothing is widened for t = 1."""
    layer = nn.Conv2d(inputs, outputs, kernel, stride, 1)
    found, images = _Block(layer, expansion=expansion), torch.zeros(2, inputs, 7, 7)
    assert layer(images).shape == found(images).shape
    hidden = expansion * inputs
    widening = hidden * (inputs + 2) if expansion > 1 else 0
    assert widening + hidden * (kernel**2 + 2 + outputs) + 2 * outputs == parameters(found)


def test_the_input_is_added_where_the_shape_stays():
    """A path that answers zero leaves it as it is; with a stride there is nothing to add to."""
    images = torch.randn(2, 4, 6, 6)
    for stride, expected in ((1, images), (2, torch.zeros(2, 4, 3, 3))):
        block = _Block(nn.Conv2d(4, 4, 3, stride, 1), expansion=2).eval()
        nn.init.zeros_(block.path[-1].weight)
        torch.testing.assert_close(expected, block(images))


def test_what_leaves_the_block_passes_no_nonlinearity():
    """A linear bottleneck: ReLU6 twice, and a norm at the end."""
    kinds = [type(layer) for layer in _Block(nn.Conv2d(4, 8, 3), expansion=6).path]
    assert [*[nn.Conv2d, nn.BatchNorm2d, nn.ReLU6] * 2, nn.Conv2d, nn.BatchNorm2d] == kinds


def test_the_first_convolution_stays():
    """The article's network: its second one goes from 18,496 weights to those of a block."""
    network = built(composed("mobilenet_block(expansion=2)", digits_cnn(0)), 0)
    assert type(network.conv1) is nn.Conv2d
    assert 225_034 - 18_496 + 64 * (32 + 2) + 64 * (9 + 2 + 64) + 2 * 64 == parameters(network)


def test_it_is_trained_from_scratch_and_learns():
    """The loop, the optimizer and the data are the plain recipe's."""
    found = tiny.fitted(composed("mobilenet_block", tiny.recipe(epochs=8))).network
    test = tiny.splits(0).test
    assert (found(test.inputs).argmax(1) == test.targets).float().mean() > 0.9


def test_it_composes_with_what_scales_channels():
    """A model that takes a width still does."""
    found = composed("mobilenet_block(expansion=3)+narrow(width=0.5)").model()
    assert (4, 12) == (found.conv[0].out_channels, found.conv[2].path[0].out_channels)


@pytest.mark.parametrize("model", [samples.HeadFirst, lambda: nn.Conv2d(1, 4, 3), samples.Volumes])
def test_a_network_without_such_convolutions_is_unavailable(model):
    """With the reason and the technique's own name."""
    with pytest.raises(UnavailableError, match="mobilenet_block: the network has no ungrouped Conv2d larger than 1x1"):
        composed("mobilenet_block", tiny.recipe(model=model)).model()


def test_an_expansion_below_one_is_refused():
    """Before anything is built."""
    with pytest.raises(UsageError, match="expansion must be a whole number from 1 on, got 0"):
        composed("mobilenet_block(expansion=0)")
