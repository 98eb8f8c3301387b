"""Reference kernels: the same work whatever the network, chosen by what the network is like."""
# the expected value stands on the left

import pytest
import torch
from torch import nn

from suite.measure.kernels import Kernel, kind_of


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
