"""An artefact holds what the served network computes with."""
# the expected value stands on the left

from dataclasses import replace

import pytest
import tiny
import torch
from torch import nn

from suite.core.errors import ImplausibleError
from suite.measure.artefacts import check_artefact, check_growth, entropy_bytes, held
from suite.measure.size import serialized
from suite.training.runtime import InTorch
from suite.training.serving import serve


class Hidden(nn.Module):
    """Weights in a plain attribute: neither parameter nor buffer."""

    def __init__(self, network):
        super().__init__()
        self.kept = [network]

    def forward(self, x):
        return self.kept[0](x)


def served(**slots):
    trained = tiny.fitted()
    return serve(replace(trained, recipe=replace(trained.recipe, **slots)))


def check(found):
    check_artefact(serialized(found)[0], found, "mine")


def test_one_byte_is_no_network():
    """The weights that are served are elsewhere then."""
    with pytest.raises(ImplausibleError, match=r"the artefact of mine has 1 bytes, .* must return them all"):
        check(served(runtime=InTorch(encode=lambda _: b"x")))


@pytest.mark.parametrize("slot", ["quantize", "deploy"])
def test_weights_that_are_neither_parameters_nor_buffers_are_found(slot):
    """In an attribute, or in the closure that answers."""
    if slot == "quantize":
        found = served(quantize=lambda network, _: Hidden(network))
    else:
        found = served(quantize=lambda network, _: Hidden(network), deploy=lambda hidden: hidden.kept[0])
    with pytest.raises(ImplausibleError, match="keep them as parameters or buffers"):
        check(found)


def test_what_ships_its_weights_passes():
    """As they are, and in half the bytes."""
    check(served())
    check(served(quantize=lambda network, _: network.bfloat16(), deploy=lambda net: lambda x: net(x.bfloat16())))


def test_what_is_held_are_the_weights_and_no_intermediate_result():
    """Inputs and activations are not shipped."""
    found = served()
    expected = {weight.untyped_storage().data_ptr() for weight in found.network.parameters()}
    assert expected == {tensor.untyped_storage().data_ptr() for tensor in held(found)}


def test_entropy_is_that_of_the_values():
    """Two values of equal frequency take one bit each, equal values none."""
    assert 8 == entropy_bytes(torch.arange(64) % 2)
    assert 0 == entropy_bytes(torch.zeros(64))
    assert 2**20 * 18 / 8 == entropy_bytes(torch.arange(2**20))


def test_codes_that_grow_are_refused():
    """A format may add names and a graph."""
    check_growth(b"x" * 70_000, 10_000, "mine")
    with pytest.raises(ImplausibleError, match="the artefact of mine has 80000 bytes, the baseline's 10000"):
        check_growth(b"x" * 80_000, 10_000, "mine")
