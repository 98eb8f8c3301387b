"""An artefact holds what the served network computes with."""
# the expected value stands on the left

from dataclasses import replace

import numpy as np
import pytest
import tiny
import torch
from safetensors.torch import load, save
from torch import nn

from suite.core.errors import ImplausibleError
from suite.measure.artefacts import check_artefact, check_files, check_growth, check_parameters, entropy_bytes, held
from suite.measure.size import serialized
from suite.training.runtime import Artifact, InTorch, Predictor
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


class OfArrays(nn.Module):
    """Computes with NumPy: torch reads no weight."""

    def __init__(self, network):
        super().__init__()
        self.kept = [weight.detach().numpy() for weight in network.fc2.parameters()]
        self.wide = np.random.default_rng(0).normal(size=(64, 64)).astype(np.float32)

    def forward(self, x):
        weight, bias = self.kept
        answer = (
            x.flatten(1).numpy()[:, : weight.shape[1]] @ weight.T + bias + 0 * (x.flatten(1).numpy() @ self.wide)[:, :2]
        )
        return torch.from_numpy(answer.astype(np.float32))


def test_weights_that_are_arrays_of_numpy_are_found():
    """Torch sees none of them, and the state that ships has none."""
    with pytest.raises(ImplausibleError, match="the artefact of mine has"):
        check(served(quantize=lambda network, _: OfArrays(network)))


class Engine:
    """Exports weights, and loads them, or what it kept."""

    def __init__(self, *, honest):
        self.honest = honest

    def export(self, network, _example):
        self.network = network
        content = save({name: value.contiguous() for name, value in network.state_dict().items()})
        return Artifact(write=lambda: {"weights": content})

    def load(self, artifact, _device):
        if self.honest:
            self.network.load_state_dict(load(artifact.files["weights"]))
        return Predictor(call=self.network)


def test_an_engine_that_does_not_use_its_files_is_told():
    """With zeros in their place it answers the same."""
    with pytest.raises(ImplausibleError, match=r"runtime of mine gives the same answers when its files hold zeros"):
        check_files(served(runtime=Engine(honest=False)), "mine")


def test_an_engine_that_refuses_broken_files_uses_them():
    check_files(served(runtime=Engine(honest=True)), "mine")


def test_statistics_of_norms_are_no_parameters_that_moved():
    """A smaller network with norms has fewer weights and more buffers; weights in a norm's buffer are told."""
    base, ours = nn.Linear(40, 10), nn.Sequential(nn.Linear(40, 9), nn.BatchNorm1d(9))
    check_parameters(ours, base, "mine")
    ours[1].running_mean = torch.zeros(200)
    with pytest.raises(ImplausibleError, match="parameters into buffers"):
        check_parameters(ours, base, "mine")


def test_parameters_that_became_buffers_are_told():
    """Counts of parameters leave buffers out."""
    base, ours = tiny.Net(), tiny.Net()
    check_parameters(ours, base, "mine")
    weight = ours.fc1.weight.detach()
    del ours.fc1.weight
    ours.fc1.register_buffer("weight", weight)
    with pytest.raises(ImplausibleError, match=r"mine has turned 1152 parameters into buffers"):
        check_parameters(ours, base, "mine")
