"""Weights in four bits with a scale and a least value for each group, and the kernel that multiplies by them."""
# the expected value stands on the left

from dataclasses import replace

import pytest
import technique_samples as samples
import tiny
import torch
from hypothesis import given
from hypothesis import strategies as st
from technique_samples import composed
from torch import nn

from suite.bench.requirements import require
from suite.core.errors import CompositionError, UnavailableError, UsageError
from suite.measure.size import serialized
from suite.registry import REGISTRY
from suite.training.recipe import changed_slots
from suite.training.serving import serve
from suite.training.surgery import int4


def decoded(weight, group):
    codes, scale, middle = int4.rounded(weight, group)
    found = (codes.unflatten(1, (-1, group)) - 8) * scale[:, :, None] + middle[:, :, None]
    return found.flatten(1)


@given(st.integers(0, 2**31), st.sampled_from(int4.GROUPS), st.floats(1e-3, 1e3))
def test_no_weight_is_further_from_its_code_than_half_a_step(seed, group, size):
    """16 values from the least to the largest of a group, both of which are exact but for rounding."""
    weight = size * torch.randn(3, 2 * group, generator=torch.Generator().manual_seed(seed))
    groups, found = weight.unflatten(1, (-1, group)), decoded(weight, group).unflatten(1, (-1, group))
    step = (groups.amax(2) - groups.amin(2)) / 15
    assert bool(((groups - found).abs().amax(2) <= 0.5001 * step + 1e-5 * size).all())
    torch.testing.assert_close(groups.amin(2), found.amin(2), rtol=1e-4, atol=1e-5 * size)
    assert max(len(one.unique()) for row in found for one in row) <= 16


def test_a_group_of_equal_weights_is_exact():
    """It has no step."""
    torch.testing.assert_close(torch.full((16, 32), 0.3), decoded(torch.full((16, 32), 0.3), 32))


@pytest.mark.skipif(int4.kernel_missing("cpu") is not None, reason="this torch has no such kernel")
@pytest.mark.parametrize("group", [32, 64])
@pytest.mark.parametrize("bias", [True, False])
def test_the_kernel_answers_as_the_decoded_weights_do(group, bias):
    """Of one item, of a batch and of a text."""
    layer = nn.Linear(128, 48, bias=bias)
    served = int4.Int4Linear(layer, group)
    for shape in ((1, 128), (5, 128), (2, 3, 128)):
        x = torch.randn(shape)
        expected = nn.functional.linear(x, decoded(layer.weight, group), layer.bias).detach()
        torch.testing.assert_close(expected, served(x).detach(), rtol=1e-3, atol=1e-4)


def large():
    model = lambda: nn.Sequential(nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 3))  # noqa: E731
    return samples.recipe_of(model, torch.randn(4, 256), epochs=0)


def test_layers_of_the_kernels_shapes_are_packed_and_others_stay():
    """Half a byte a weight and eight bytes a group; the output layer has three outputs."""
    fitted = tiny.fitted(large())
    before = tiny.state(fitted.network)
    sizes = []
    for group in (32, 128):
        found = serve(replace(fitted, recipe=composed(f"weight_only_int4(group={group})", large())))
        assert isinstance(found.network[0], int4.Int4Linear)
        assert torch.equal(fitted.network[2].weight, found.network[2].weight)
        sizes.append(len(serialized(found)[0]))
    assert 8 * 65536 / 32 - 8 * 65536 / 128 == pytest.approx(sizes[0] - sizes[1], abs=256)
    assert tiny.equal_states(before, tiny.state(fitted.network))


def test_a_network_or_device_without_the_kernel_is_unavailable_with_the_reason():
    """Before anything is trained."""
    case = tiny.case_of(REGISTRY, "weight_only_int4", "digits_cnn")
    require(case, case.workload.plain(0))
    assert "the network is on cuda" in int4.kernel_missing("cuda")
    recipe = composed("weight_only_int4")
    with pytest.raises(UnavailableError, match="no Linear layer has a multiple of 16 outputs and of 32 inputs"):
        recipe.quantize(tiny.Net(), None)
    with pytest.raises(UnavailableError, match="has no Linear layer in it"):
        recipe.quantize(nn.Conv2d(1, 1, 1), None)


def test_training_is_left_alone_and_earlier_quantizers_come_first():
    """Two quantizers exclude one another, and groups are the kernel's."""
    seen = []
    plain = tiny.recipe(quantize=lambda network, inputs: seen.append(len(inputs)) or network)
    recipe = composed("weight_only_int4", plain)
    recipe.quantize(nn.Linear(32, 16), torch.zeros(3, 32))
    assert [3] == seen
    assert ("quantize", "runtime") == changed_slots(plain, recipe)
    with pytest.raises(CompositionError, match="use one of them"):
        composed("weight_only_int4+static_int8")
    with pytest.raises(UsageError, match="weight_only_int4: group must be one of 32, 64, 128, 256, got 8"):
        composed("weight_only_int4(group=8)")
