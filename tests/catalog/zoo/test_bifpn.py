"""The bidirectional pyramid, and EfficientDet's family around it."""
# the expected value stands on the left

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from suite.catalog.zoo.bifpn import BiFPN, Fusion, Head
from suite.catalog.zoo.efficientdet import FAMILY
from suite.catalog.zoo.entries import entries, known
from suite.claims.torchvision.agreement import disagreements
from suite.claims.torchvision.counts import count

LARGE = pytest.mark.system  # seconds each for hundreds of layers; of another width and depth, by the same rule


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=LARGE if name > "efficientdet_d2" else ()) for name in FAMILY]
)
def test_counts_are_the_papers(name):
    """Parameters to the digits that it prints, multiply-accumulates to the two percent of what is elementwise."""
    (entry,) = entries([name])
    assert [] == list(disagreements(entry, count(name, entry.pixels)))


def test_counts_know_when_the_family_is_another():
    """The smallest member's count is not the next one's figure."""
    (first,), (second,) = entries(["efficientdet_d0"]), entries(["efficientdet_d1"])
    assert 2 == len(list(disagreements(second, count("efficientdet_d0", first.pixels))))


def test_the_family_is_counted_and_no_workload():
    """It is none of torchvision's networks, which `zoo_<name>` measures."""
    assert not set(FAMILY) & set(known())
    assert set(FAMILY) <= {entry.model for entry in entries()}


@given(levels=st.integers(2, 5), cells=st.integers(1, 3), weighted=st.booleans(), data=st.data())
def test_as_many_features_come_out_as_go_in(levels, cells, weighted, data):
    """Of their own sizes, each half of the one before, with the pyramid's channels."""
    inputs = data.draw(st.lists(st.integers(1, 6), min_size=levels, max_size=levels))
    sizes = [2 ** (levels - level) for level in range(levels)]
    features = [torch.randn(2, channels, size, size) for channels, size in zip(inputs, sizes, strict=True)]
    found = BiFPN(inputs, 4, cells, weighted=weighted)(features)
    assert [(2, 4, size, size) for size in sizes] == [tuple(level.shape) for level in found]


def test_every_level_hears_of_every_other():
    """Down and up: the gradient of each level's output reaches each input."""
    features = [torch.randn(2, 4, size, size, requires_grad=True) for size in (8, 4, 2)]
    pyramid = BiFPN([4, 4, 4], 4, 1)
    for level in range(3):
        found = torch.autograd.grad(pyramid(features)[level].pow(2).sum(), features)
        assert all(float(gradient.abs().sum()) > 0 for gradient in found)


def fused(fusion, *features):
    fusion.mix = nn.Identity()
    return fusion(*features)


def test_equal_weights_are_a_mean_and_no_weights_a_sum():
    """The weights are divided by their sum, but for the paper's 1e-4."""
    pair = [torch.full((1, 1, 1, 1), value) for value in (1.0, 5.0)]
    assert pytest.approx(3.0, rel=1e-4) == fused(Fusion(1, 2), *pair).item()
    assert 6.0 == fused(Fusion(1, 2, weighted=False), *pair).item()


def test_a_negative_weight_switches_its_input_off():
    """They are kept positive."""
    fusion = Fusion(1, 2)
    with torch.no_grad():
        fusion.weights.copy_(torch.tensor([-3.0, 1.0]))
    pair = [torch.full((1, 1, 1, 1), value) for value in (1.0, 5.0)]
    assert pytest.approx(5.0, rel=1e-3) == fused(fusion, *pair).item()


def test_levels_share_a_heads_convolutions_and_not_its_norms():
    """As many convolutions for two levels as for one."""

    def counted(kind, levels):
        return sum(isinstance(module, kind) for module in Head(4, 2, 3, levels).modules())

    assert counted(nn.Conv2d, 1) == counted(nn.Conv2d, 2)
    assert 2 * counted(nn.BatchNorm2d, 1) == counted(nn.BatchNorm2d, 2)
