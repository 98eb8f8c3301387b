"""Size: what ships, what is zero, and what is computed."""
# the expected value stands on the left

import lzma
from dataclasses import replace

import pytest
import tiny
import torch
from torch import nn

from suite.measure.size import macs, nonzero_parameters, parameters, serialized, size
from suite.training.loop import Trained, untrained
from suite.training.recipe import Split, Splits
from suite.training.serving import Served, serve
from suite.workloads.digits_cnn import SimpleCNN


def trained_as(network, recipe=None):
    return Trained(recipe=recipe or tiny.recipe(), network=network.eval(), device="cpu", seconds=0.0)


def figures(trained):
    return {one.metric: one for one in size(tiny.BASELINE_CELL, trained, serve(trained))}


def artefact(network, **changes):
    return serialized(Served(recipe=tiny.recipe(**changes), network=network, device="cpu", call=network))


def test_the_repaired_article_network_has_the_figures_that_its_page_states():
    """225,034 weights and 2,631,040 multiply-accumulates for one image of 28 x 28."""
    part = Split(inputs=torch.zeros(2, 1, 28, 28), targets=torch.zeros(2, dtype=torch.long))
    recipe = tiny.recipe(model=SimpleCNN, data=lambda: Splits(train=part, validation=part, test=part))
    trained = untrained(recipe, device="cpu", reference=tiny.no_reference)
    assert 225_034 == parameters(trained.network)
    assert 2_631_040 == macs(trained)


@pytest.mark.parametrize("layout", ["contiguous", "channels_last"])
def test_macs_are_those_of_one_image_in_any_layout(layout):
    """Counted by hand: two convolutions, 64 and 36 positions, and two Linear layers; a batch does not count."""
    trained = untrained(tiny.recipe(layout=layout), device="cpu", reference=tiny.no_reference)
    assert 64 * 8 * 9 + 36 * 8 * 8 * 9 + 72 * 16 + 16 * 2 == macs(trained)


def test_the_layout_changes_no_byte_of_the_artefact():
    """A network in NHWC order is written as the same numbers in the same order."""
    network = tiny.Net()
    plain, exact = artefact(network)
    last, _ = artefact(network.to(memory_format=torch.channels_last), layout="channels_last")
    assert plain == last
    assert exact


class Shared(nn.Module):
    """Two layers with one weight."""

    def __init__(self):
        super().__init__()
        self.one, self.two = nn.Linear(64, 64), nn.Linear(64, 64)
        self.two.weight = self.one.weight


def test_a_shared_tensor_is_counted_and_written_once():
    """It ships once, whatever it is called."""
    assert 64 * 64 + 2 * 64 == parameters(Shared())
    assert 4 * (64 * 64 + 2 * 64) < len(artefact(Shared())[0]) < 4 * (64 * 64 + 2 * 64) + 1000


def test_a_view_of_a_tensor_is_written_beside_it():
    """Tensors that share a part of their memory are no aliases of one another."""
    module = nn.Module()
    module.register_buffer("whole", torch.arange(8.0))
    module.register_buffer("part", module.whole[:4])
    assert len(artefact(module)[0]) >= 4 * 12


def test_tensors_of_another_shape_on_the_same_memory_count_once():
    """A reshaped view holds no numbers of its own."""
    module = nn.Module()
    module.register_buffer("flat", torch.arange(1000.0))
    module.register_buffer("square", module.flat.view(10, 100))
    assert len(artefact(module)[0]) < 4 * 1000 + 500


def test_empty_tensors_are_all_kept():
    """They share the address of nothing."""
    module = nn.Module()
    for name in ("a", "b"):
        module.register_buffer(name, torch.empty(0))
    kept = artefact(module)[0]
    assert b'"a"' in kept
    assert b'"b"' in kept


def test_masked_weights_still_ship_but_compress():
    """Zeros are parameters and bytes like others; only entropy coding and the count of non-zeros tell."""
    trained = trained_as(tiny.Net())
    before = figures(trained)
    with torch.no_grad():
        weight = trained.network.fc1.weight
        weight[:, ::2] = 0
    after = figures(trained)
    assert before["parameters"].value == after["parameters"].value
    assert before["artefact_bytes"].value == after["artefact_bytes"].value
    assert before["nonzero_parameters"].value - weight.numel() // 2 == after["nonzero_parameters"].value
    assert after["entropy_bytes"].value < before["entropy_bytes"].value


def test_zeros_are_counted_exactly():
    """Positive, negative and tiny numbers are none; minus zero is one."""
    network = nn.Linear(4, 1, bias=False)
    network.weight.data = torch.tensor([[0.0, -0.0, 1e-40, -1.0]])
    assert 2 == nonzero_parameters(network)


def test_an_own_serialization_is_what_ships():
    """Its length may depend on the machine, so the figure is portable and not exact."""
    content = bytes(range(256)) * 4
    trained = trained_as(tiny.Net(), replace(tiny.recipe(), serialize=lambda _network: content))
    found = figures(trained)
    assert (1024, "portable") == (found["artefact_bytes"].value, found["artefact_bytes"].tier)
    assert len(lzma.compress(content)) == found["entropy_bytes"].value


def test_size_counts_the_served_artefact_and_the_trained_parameters():
    """Quantization changes what ships; how many weights were trained it does not."""

    def quantize(network, _calibration):
        return network.to(torch.bfloat16)

    plain, quantized = (figures(trained_as(tiny.Net(), tiny.recipe(**more))) for more in ({}, {"quantize": quantize}))
    assert plain["parameters"].value == quantized["parameters"].value
    assert quantized["artefact_bytes"].value < 0.75 * plain["artefact_bytes"].value
    assert "exact" == plain["artefact_bytes"].tier
