"""Networks that are compiled for serving: frozen, in another mode, or ahead of time."""
# the expected value stands on the left

from dataclasses import replace

import pytest
import tiny
import torch
from technique_samples import composed

from suite.core.errors import UnavailableError, UsageError
from suite.core.machine.needs import missing_need
from suite.measure.size import serialized
from suite.training import compiling
from suite.training.exporting import load_aoti
from suite.training.recipe import changed_slots
from suite.training.serving import predict, serve

SERVED = ["compiled_frozen", "compiled_mode", "aot_inductor"]


@pytest.fixture(scope="module")
def fitted():
    return tiny.fitted()


def served(name, fitted):
    if reason := missing_need("compiler", "cpu"):
        pytest.skip(reason)
    return serve(replace(fitted, recipe=composed(name)))


def called(text, network):
    """What a composition's runtime makes of a network on the CPU."""
    runtime = composed(text).runtime
    return runtime.load(runtime.export(network, None), "cpu").call


@pytest.mark.parametrize("name", SERVED)
def test_only_what_is_served_changes(name):
    """The trained network is the baseline's."""
    plain = tiny.recipe()
    assert ("runtime",) == changed_slots(plain, composed(name, plain))


@pytest.mark.system
@pytest.mark.parametrize("name", SERVED)
@pytest.mark.parametrize("batch", [1, 16])
def test_compiled_networks_answer_as_the_eager_one(name, batch, fitted):
    """But for rounding, also one item at a time."""
    inputs = tiny.splits(0).test.inputs
    expected = fitted.network(inputs).detach()
    torch.testing.assert_close(expected, predict(served(name, fitted), inputs, batch=batch), rtol=1e-4, atol=1e-4)


@pytest.mark.system
def test_what_ahead_of_time_compilation_ships_is_what_is_served(fitted):
    """The package alone gives the same answers, and is compiled once."""
    found = served("aot_inductor", fitted)
    artefact, _ = serialized(found)
    inputs = tiny.splits(0).test.inputs
    assert artefact is serialized(found)[0]
    torch.testing.assert_close(fitted.network(inputs).detach(), load_aoti(artefact)(inputs), rtol=1e-4, atol=1e-4)


@pytest.mark.system
def test_the_mode_reaches_torch(monkeypatch):
    """Beside static shapes, which it does not touch; the plain compilation has none."""
    calls = []
    monkeypatch.setattr(compiling.torch, "compile", lambda network, **options: calls.append(options) or network)
    for text in ("compiled_mode(mode='max-autotune-no-cudagraphs')", "compiled"):
        called(text, tiny.Net())
    expected = [{"dynamic": False, "mode": "max-autotune-no-cudagraphs"}, {"dynamic": False, "mode": None}]
    assert expected == calls


def test_frozen_weights_are_compiled_frozen(monkeypatch):
    """By the helper that switches freezing on while a shape compiles."""
    monkeypatch.setattr("suite.catalog.runtimes.compiled_frozen.compile_frozen", lambda network: ("frozen", network))
    network = tiny.Net()
    assert ("frozen", network) == called("compiled_frozen", network)


def test_cuda_graphs_are_unavailable_on_a_cpu():
    """Torch would serve without them and say nothing."""
    with pytest.raises(UnavailableError, match="reduce-overhead records CUDA graphs, and the network is on cpu"):
        called("compiled_mode(mode='reduce-overhead')", tiny.Net())


def test_an_unknown_mode_is_an_error():
    """The error lists those that there are."""
    with pytest.raises(UsageError, match=r"mode must be one of reduce-overhead, max-autotune, .*, got 'fast'"):
        composed("compiled_mode(mode='fast')")
