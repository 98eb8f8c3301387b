"""Size: what ships, what is zero, and what it compresses to."""
# the expected value stands on the left

import lzma
from dataclasses import replace
from types import SimpleNamespace

import pytest
import tiny
import torch
from torch import nn

from suite.gate import propose
from suite.measure import size as module
from suite.measure.size import entropy_bytes, nonzero_parameters, parameters, serialized, size
from suite.training import executed
from suite.training.loop import Trained
from suite.training.runtime import InTorch, Predictor
from suite.training.serving import Served, serve


def trained_as(network, recipe=None):
    return Trained(recipe=recipe or tiny.recipe(), network=network.eval(), device="cpu", seed=0, seconds=0.0)


def figures(trained):
    return {one.metric: one for one in size(tiny.BASELINE_CELL, trained, serve(trained))}


def artefact(network, **changes):
    return serialized(Served(recipe=tiny.recipe(**changes), network=network, device="cpu", call=network))


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
    trained = trained_as(tiny.Net(), replace(tiny.recipe(), runtime=InTorch(encode=lambda _network: content)))
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


@pytest.fixture
def coded(monkeypatch):
    """The presets of the codings that were really done, in a process that has done none."""
    presets = []

    def compress(content, preset):
        presets.append(preset)
        return lzma.compress(content, preset=preset)

    monkeypatch.setattr(module, "_coded", {})
    monkeypatch.setattr(module, "lzma", SimpleNamespace(compress=compress))
    return presets


def test_the_same_artefact_is_coded_once(coded):
    """It comes back in every cell that serves the same weights; other bytes are other bytes."""
    first, other = bytes(1000), bytes(999) + b"1"
    figures = [entropy_bytes(content) for content in (first, other, bytes(1000))]
    assert [None, None] == coded
    assert [len(lzma.compress(content)) for content in (first, other, first)] == figures


def test_a_large_artefact_is_coded_fast_and_its_figure_says_so(coded, monkeypatch):
    """Another preset is another figure: no expectation of the other one applies."""
    monkeypatch.setattr(module, "LARGE", 1000)
    contents = {size: bytes(range(250)) * (size // 250) for size in (1000, 1250)}
    found = {
        size: figures(trained_as(tiny.Net(), tiny.recipe(runtime=InTorch(encode=lambda _, content=content: content))))
        for size, content in contents.items()
    }
    assert [None, 0] == coded
    assert [{}, {"coder": "lzma preset 0"}] == [one["entropy_bytes"].conditions for one in found.values()]
    assert len(lzma.compress(contents[1250], preset=0)) == found[1250]["entropy_bytes"].value


def test_up_to_eight_megabytes_the_figure_is_that_of_the_default_preset():
    """Figures that were stored before stay what they were."""
    assert 8_000_000 == module.LARGE
    assert {} == module.coding(bytes(8_000_000))


def test_macs_that_cannot_be_counted_are_left_out(monkeypatch):
    """Absent, not zero: the other figures stand."""
    monkeypatch.setattr(module, "macs", lambda _: None)
    assert {"parameters", "nonzero_parameters", "artefact_bytes", "entropy_bytes"} == figures(
        trained_as(tiny.Net())
    ).keys()


class Ranked(nn.Linear):
    """A layer that says what one step of its structure adds."""

    parameters_per_step = 20


def test_sizes_that_follow_trained_weights_are_not_exact():
    """Other rounding gives other weights: the margin is one step of every such layer, and 2 % at least."""
    network = nn.Sequential(nn.Flatten(), Ranked(64, 8), nn.ReLU(), Ranked(8, 4))
    trained = trained_as(network)
    follow = ("parameters", "nonzero_parameters", "artefact_bytes", "macs")
    found = {one.metric: one for one in size(tiny.BASELINE_CELL, trained, serve(trained), follow=follow)}
    assert {"portable"} == {one.tier for one in found.values()}
    share = 40 / parameters(network)
    assert pytest.approx(40) == found["parameters"].margin
    assert pytest.approx(share * found["artefact_bytes"].value) == found["artefact_bytes"].margin
    assert ["parameters", "nonzero_parameters", "artefact_bytes", "entropy_bytes"] == list(found)[:4]
    low, high = propose(found["parameters"])
    assert low <= parameters(network) - 40 < parameters(network) + 40 <= high


def test_how_many_weights_are_zero_is_never_exact():
    """By chance one may be; on a grid rounding decides. All else stays exact."""
    trained = trained_as(tiny.Net())
    plain = figures(trained)
    assert {"parameters": "exact", "nonzero_parameters": "portable", "artefact_bytes": "exact"} == {
        name: plain[name].tier for name in ("parameters", "nonzero_parameters", "artefact_bytes")
    }
    count = plain["nonzero_parameters"].value
    assert pytest.approx(0.001 * count) == plain["nonzero_parameters"].margin
    followed = size(tiny.BASELINE_CELL, trained, serve(trained), follow=("nonzero_parameters",))[1]
    assert pytest.approx(0.05 * count) == followed.margin


def test_what_a_compiler_packed_belongs_to_a_family():
    """A library for one CPU has other bytes on the next."""
    trained = trained_as(tiny.Net(), tiny.recipe(runtime=InTorch(encode=lambda _: b"x" * 1024)))
    found = {one.metric: one for one in size(tiny.BASELINE_CELL, trained, serve(trained), compiled=True)}
    assert {"artefact_bytes": "family", "entropy_bytes": "family", "parameters": "exact"} == {
        name: found[name].tier for name in ("artefact_bytes", "entropy_bytes", "parameters")
    }


def test_what_an_engine_multiplies_in_is_measured_under_its_name():
    """With the share of each precision for a reader; nothing is said of torch."""
    ran = executed.executed(
        "engine", "1.0", "int8", [executed.ExecutedProduct(precision="int8", device="CPU", macs=10)]
    )
    trained = trained_as(tiny.Net())
    plain = serve(trained)
    other = replace(plain, predictor=Predictor(call=plain.call, executed=ran))
    found = {one.metric: one for one in size(tiny.BASELINE_CELL, trained, other)}["labelled_share"]
    assert (1.0, {"engine": "engine"}, {"int8 on CPU": 10}) == (found.value, found.conditions, found.fingerprint)
    assert "engine 1.0: int8 on CPU 100.0 %" == found.note
    assert "labelled_share" not in figures(trained)
