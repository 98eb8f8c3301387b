"""Convolutions as a filter for each channel and a mix of channels: same shapes, less arithmetic, new training."""
# the expected value stands on the left

import inspect

import pytest
import technique_samples as samples
import tiny
import torch
from hypothesis import given
from hypothesis import strategies as st
from technique_samples import composed
from torch import nn

from suite.catalog.techniques.depthwise_separable import _pair
from suite.catalog.workloads.digits_cnn import digits_cnn
from suite.core.errors import UnavailableError
from suite.measure.macs import macs_of
from suite.measure.size import parameters
from suite.training.loop import built


@given(
    st.tuples(st.integers(1, 4), st.integers(1, 6)),
    st.integers(2, 3),
    st.integers(1, 2),
    st.integers(0, 2),
    st.booleans(),
)
def test_a_pair_answers_in_the_shape_of_the_layer_that_it_replaces(channels, kernel, stride, padding, bias):
    """Stride and padding are kept; weights are in * k * k + in * out, two for each channel of a norm, and no bias."""
    inputs, outputs = channels
    layer = nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=bias)
    found, images = _pair(layer), torch.zeros(2, inputs, 7, 7)
    assert layer(images).shape == found(images).shape
    assert inputs * (kernel**2 + 2 + outputs) + 2 * outputs == parameters(found)


def test_the_article_network_keeps_its_first_convolution_and_loses_a_third_of_its_products():
    """The second one goes from 18,496 to 2,528 weights; 2,631,040 products become less."""
    network = built(composed("depthwise_separable", digits_cnn(0)), 0).eval()
    assert type(network.conv1) is nn.Conv2d
    assert 225_034 - 18_496 + 32 * (9 + 2 + 64) + 2 * 64 == parameters(network)
    mixed = 121 * 32 * 64 * 9
    assert 2_631_040 - mixed + 121 * 32 * (9 + 64) == macs_of(network, torch.zeros(1, 1, 28, 28))


def test_a_norm_follows_each_part():
    """The activation after the second one is the network's own."""
    kinds = [type(layer) for layer in _pair(nn.Conv2d(4, 8, 3))]
    assert [nn.Conv2d, nn.BatchNorm2d, nn.ReLU, nn.Conv2d, nn.BatchNorm2d] == kinds


def test_it_is_trained_from_scratch_and_learns():
    """The loop, the optimizer and the data are the plain recipe's."""
    found = tiny.fitted(composed("depthwise_separable", tiny.recipe(epochs=8))).network
    test = tiny.splits(0).test
    assert (found(test.inputs).argmax(1) == test.targets).float().mean() > 0.9


def test_a_model_that_takes_a_width_still_does_and_says_so():
    """It composes with what scales channels, and a model without a width does not pretend to have one."""
    found = composed("depthwise_separable+narrow(width=0.5)").model()
    assert (4, 4) == (found.conv[0].out_channels, found.conv[2][3].out_channels)
    assert "width" in inspect.signature(composed("depthwise_separable").model).parameters
    plain = tiny.recipe(model=samples.HeadFirst)
    assert not inspect.signature(composed("depthwise_separable", plain).model).parameters


@pytest.mark.parametrize("model", [samples.HeadFirst, lambda: nn.Conv2d(1, 4, 3), samples.Volumes])
def test_a_network_without_such_convolutions_is_unavailable(model):
    """With the reason; the first convolution alone does not count."""
    with pytest.raises(UnavailableError, match="no ungrouped Conv2d larger than 1x1"):
        composed("depthwise_separable", tiny.recipe(model=model)).model()
