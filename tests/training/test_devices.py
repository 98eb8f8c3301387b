"""Memory layouts, precision and determinism."""
# the expected value stands on the left

import pytest
import tiny
import torch
from torch import nn

from suite.training.devices import autocast, deterministic, lay_out, place
from suite.training.recipe import Precision


@pytest.mark.parametrize("channels", [1, 3])
def test_placing_in_channels_last_writes_the_strides_out(channels):
    """With one channel both layouts answer that they are contiguous; kernels look at the strides."""
    inputs = torch.randn(2, channels, 4, 5)
    placed = place(inputs, "channels_last")
    assert (20 * channels, 1, 5 * channels, channels) == placed.stride()
    assert torch.equal(inputs, placed)


def test_what_has_no_pixels_or_stays_contiguous_is_not_copied():
    """Only a layout that differs costs a copy."""
    flat, image, numbers = torch.randn(2, 3), torch.randn(2, 1, 4, 4), torch.zeros(2, 1, 4, 4, dtype=torch.long)
    assert flat is place(flat, "channels_last")
    assert numbers is place(numbers, "channels_last")
    assert image is place(image, "contiguous")


def test_the_images_of_a_tree_are_placed_and_the_rest_is_left():
    """Each leaf by itself."""
    image, flat = torch.randn(2, 3, 4, 5), torch.randn(2, 3)
    placed = place({"image": image, "rest": (flat,)}, "channels_last")
    assert (60, 1, 15, 3) == placed["image"].stride()
    assert flat is placed["rest"][0]


class Volumes(nn.Module):
    """A 3-dimensional convolution before a 2-dimensional one; inputs [B, 2, 3, 4, 4]."""

    def __init__(self):
        super().__init__()
        self.deep, self.flat = nn.Conv3d(2, 4, 3, padding=1), nn.Conv2d(4, 5, 3)

    def forward(self, x):
        return self.flat(self.deep(x).mean(2))


def test_a_network_with_volumes_has_its_images_laid_out_and_its_volumes_left():
    """``Module.to(memory_format=...)`` would refuse the whole network."""
    network, inputs = Volumes(), torch.randn(2, 2, 3, 4, 4)
    before = network(inputs)
    found = lay_out(network, tiny.recipe(layout="channels_last"))
    assert network is found
    assert network.deep.weight.is_contiguous()
    assert (36, 1, 12, 4) == network.flat.weight.stride()
    torch.testing.assert_close(before, network(inputs))


def test_buffers_are_laid_out_too():
    """A constant image that a network adds is read as often as a weight."""
    network = nn.Module()
    network.register_buffer("image", torch.randn(1, 3, 4, 5))
    assert (60, 1, 15, 3) == lay_out(network, tiny.recipe(layout="channels_last")).image.stride()
    assert network.image.is_contiguous(memory_format=torch.channels_last)


def test_a_contiguous_recipe_leaves_a_network_as_it_is():
    """Not even a copy is made."""
    network = tiny.Net()
    before = [parameter.data_ptr() for parameter in network.parameters()]
    assert before == [parameter.data_ptr() for parameter in lay_out(network, tiny.recipe()).parameters()]


@pytest.mark.parametrize(("precision", "expected"), [(None, torch.float32), (torch.bfloat16, torch.bfloat16)])
def test_autocast_is_on_where_the_precision_says_so(precision, expected):
    """Elsewhere nothing is cast."""
    with autocast(Precision(autocast=precision), "cpu"):
        assert expected == nn.Linear(2, 2)(torch.ones(1, 2)).dtype


def settings():
    return (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
        torch.utils.deterministic.fill_uninitialized_memory,
    )


@pytest.mark.parametrize("error", [None, RuntimeError], ids=["at the end", "after an error"])
def test_deterministic_algorithms_are_on_inside_and_as_before_outside(error):
    """The suite leaves the process as it found it, also where a technique raises."""
    before = settings()
    if error is None:
        with deterministic():
            assert (True, True, False) == settings()
    else:
        with pytest.raises(error), deterministic():
            raise error
    assert before == settings()
