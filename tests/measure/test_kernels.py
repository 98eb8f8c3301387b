"""Reference kernels: the same work whatever the network, chosen by what the network is like."""
# the expected value stands on the left

from math import prod

import pytest
import torch
from torch import nn

from suite.measure.kernels import ACCELERATOR, CORE, Kernel, kind_of, sizes_on


@pytest.mark.parametrize(
    ("network", "kind"),
    [
        (nn.Sequential(nn.Flatten(), nn.Linear(4, 2)), "matmul"),
        (nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(4, 2)), "convolution"),
        (nn.Conv1d(1, 2, 3), "convolution"),
        (nn.TransformerEncoderLayer(8, 2), "matmul"),
        (nn.Sequential(nn.ConvTranspose2d(1, 2, 3)), "convolution"),
        (nn.LSTM(4, 2), "matmul"),
        (nn.Sequential(nn.EmbeddingBag(9, 4), nn.LayerNorm(4)), "copy"),
        (nn.Sequential(nn.EmbeddingBag(9, 4), nn.Linear(4, 2)), "matmul"),
        (nn.Softmax(1), "copy"),
    ],
)
def test_a_network_is_timed_against_work_like_its_own(network, kind):
    """Any convolution makes it a convolutional one; where there is no matrix to multiply by, memory is moved."""
    assert kind == kind_of(network)


@pytest.mark.parametrize(
    ("kind", "shape"), [("convolution", (16, 16, 32, 32)), ("matmul", (320, 320)), ("copy", (4 << 20,))]
)
def test_a_kernels_work_depends_on_no_batch(kind, shape):
    """A batch of 1 or 64: the same operands, and no graph for a gradient."""
    kernel = Kernel(kind=kind, device="cpu")
    one, many = kernel.call(1)(), kernel.call(64)()
    assert shape == one.shape
    assert torch.equal(one, many)
    assert not one.requires_grad


LARGEST_CACHE = 120e6  # bytes: an L2 of today's largest GPUs


@pytest.mark.parametrize("device", ["cuda", "cuda:1", "xpu", "mps"])
def test_an_accelerator_has_kernels_that_outlast_their_launch_and_its_caches(device):
    """A core's kernels take microseconds there: launches would be timed against the network."""
    sizes = sizes_on(device)
    images, weights = sizes.convolved
    assert 2 * sizes.side**3 > 100e9
    assert 2 * prod(images) * prod(weights[1:]) > 50e9  # FLOPs
    assert 4 * sizes.copied > LARGEST_CACHE
    assert ACCELERATOR == sizes != CORE == sizes_on("cpu")


def test_a_kernels_operands_are_as_large_as_its_device_asks():
    """On a device without memory, so that nothing is computed."""
    assert (4096, 4096) == Kernel(kind="matmul", device="meta").call(64).operands[1].shape
