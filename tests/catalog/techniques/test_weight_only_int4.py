"""Weights in four bits with a scale for each group."""
# the expected value stands on the left

from dataclasses import replace

import pytest
import technique_samples as samples
import tiny
import torch
from technique_samples import composed
from torch import nn

from suite.core.errors import CompositionError, UnavailableError, UsageError
from suite.measure.size import serialized
from suite.training.recipe import changed_slots
from suite.training.serving import serve
from suite.training.surgery import grids


@pytest.fixture(scope="module")
def fitted():
    return tiny.fitted()


def served(text, fitted):
    return serve(replace(fitted, recipe=composed(text)))


@pytest.mark.parametrize("group", [0, 8, 32])
def test_each_group_has_fifteen_values_at_most_and_the_trained_network_its_own(group, fitted):
    """Matrices and filters; biases stay."""
    before = tiny.state(fitted.network)
    found = served(f"weight_only_int4(group={group})", fitted).network
    for name, weight in found.named_parameters():
        if weight.dim() > 1:
            assert grids.read(weight, grids.Grid(bits=4, group=group)) is not None
            assert max(len(run.unique()) for row in weight.flatten(1) for run in row.split(group or 10**6)) <= 15
        else:
            assert torch.equal(before[name], weight)
    assert tiny.equal_states(before, tiny.state(fitted.network))


def test_smaller_groups_are_nearer_and_larger_ones_ship_fewer_bytes(fitted):
    """That is the trade-off. 65,536 weights: half a byte for each, two for each scale, names and a bias on top."""
    plain = samples.recipe_of(lambda: nn.Linear(256, 256), torch.randn(4, 256))
    fitted = tiny.fitted(replace(plain, epochs=0))
    errors, sizes = [], []
    for group in (8, 64):
        found = serve(replace(fitted, recipe=composed(f"weight_only_int4(group={group})", plain)))
        errors.append(float((fitted.network.weight - found.network.weight).detach().norm()))
        sizes.append(len(serialized(found)[0]))
    assert 0 < errors[0] < errors[1]
    rest = 4 * 256 + 400
    assert [65536 // 2 + 2 * 65536 // group + rest for group in (8, 64)] == pytest.approx(sizes, abs=300)


def test_the_artefact_decodes_to_what_is_served(fitted):
    """To the last bit."""
    found = served("weight_only_int4", fitted)
    assert tiny.equal_states(tiny.state(found.network), grids.decode(serialized(found)[0]))


def test_parameters_and_networks_that_cannot_be_are_errors():
    """With the value, or the reason."""
    with pytest.raises(UsageError, match="weight_only_int4: group must be 0 or more, got -1"):
        composed("weight_only_int4(group=-1)")
    with pytest.raises(UnavailableError, match="no weight of two or more dimensions"):
        composed("weight_only_int4").quantize(nn.LayerNorm(3), None)


def test_training_is_left_alone_and_earlier_quantizers_come_first():
    """Two quantizers exclude one another."""
    seen = []
    plain = tiny.recipe(quantize=lambda network, inputs: seen.append(len(inputs)) or network)
    recipe = composed("weight_only_int4", plain)
    recipe.quantize(tiny.Net(), torch.zeros(3, 1, 8, 8))
    assert [3] == seen
    assert ("quantize", "runtime") == changed_slots(plain, recipe)
    with pytest.raises(CompositionError, match="use one of them"):
        composed("weight_only_int4+static_int8")
