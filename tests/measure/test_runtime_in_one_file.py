"""A runtime that a user adds in one file, with no torch module behind it: served, sized, timed and checked."""
# the expected value stands on the left

import importlib.util
import io
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tiny
from torch import nn

import suite
from suite.bench.bench import Bench, Plan
from suite.catalog.scores import classification
from suite.core.errors import ImplausibleError, UnavailableError
from suite.measure import speed
from suite.measure.arms import Arm
from suite.measure.sampler.memory_layout import places_of
from suite.training.runtime import Artifact, Predictor
from suite.training.serving import serve

PAGE = Path(__file__).parents[2] / "docs" / "techniques.md"
SHORT = speed.SamplingBudget(batch=0.1, single=0.05, latency=0.02, training=0.05, rounds=1, tolerance=1.0)
NUMBERS = 64 * 16 + 16 + 16 * 2 + 2


def network():
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, 2))


@pytest.fixture
def bench(monkeypatch):
    monkeypatch.setattr(speed, "QUICK", SHORT)
    made = tiny.registry()

    @made.workload(scores=classification(), batch=16)
    def flat(seed):
        """Which half is bright, by Linear layers alone."""
        return tiny.recipe(seed, model=network)

    with Bench(registry=made, device="cpu", plan=Plan(profile="quick", seeds=1)) as measuring:
        yield measuring


@pytest.fixture
def engine(bench, tmp_path, monkeypatch):
    """The page's example as a file of its own, loaded into the bench's registry."""
    path = tmp_path / "numpy_engine.py"
    path.write_text(re.findall(r"```python runtime\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)[0], "utf-8")
    monkeypatch.setattr(suite, "technique", bench.registry.technique)
    spec = importlib.util.spec_from_file_location("numpy_engine", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def measured(bench, group, technique="numpy_matmul"):
    case = tiny.case_of(bench.registry, technique, "flat")
    return {one.metric: one for one in bench.measure(case, group)}


def served_with(bench, change, ships=None):
    """A technique whose predictor is the example's, changed; or that ships other files and loads none."""
    plain = bench.registry.find_technique("numpy_matmul").function(tiny.recipe()).runtime

    class Changed(type(plain)):
        def export(self, network, example):
            return super().export(network, example) if ships is None else Artifact(write=lambda: ships)

        def load(self, artifact, device):
            return change(super().load(artifact, device) if ships is None else None)

    @bench.registry.technique(slots=("runtime",))
    def changed(recipe):
        """Serve with NumPy, otherwise."""
        return replace(recipe, runtime=Changed())


@pytest.mark.usefixtures("engine")
def test_a_runtime_in_one_file_is_measured_like_any_other(bench):
    """Its answers agree, it has a speed-up, and the files that it exported are what ships."""
    assert 1e-5 > measured(bench, "quality")["output_error"].value
    assert {"throughput", "speedup_b1"} <= measured(bench, "speed").keys()
    sizes = measured(bench, "size")
    file = io.BytesIO()
    np.savez(file, *(np.zeros(shape, np.float32) for shape in ((16, 64), 16, (2, 16), 2)))
    assert (len(file.getvalue()), "portable") == (sizes["artefact_bytes"].value, sizes["artefact_bytes"].tier)
    assert NUMBERS == sizes["parameters"].value


@pytest.mark.usefixtures("engine")
def test_it_is_asked_what_it_holds_and_no_peak_is_made_up(bench):
    """Torch's allocator sees none of it, which the run remarks."""
    found = measured(bench, "memory")
    assert 4 * NUMBERS == found["held_memory_inference"].value
    assert "peak_memory_inference" not in found
    assert 1 == len(bench.remarks)
    assert "NumpyMatmul allocates memory that torch does not count: peak memory of serving is not" in bench.remarks[0]


@pytest.mark.usefixtures("engine")
def test_memory_that_it_cannot_tell_is_absent_with_the_reason(bench):
    """Not zero."""
    served_with(bench, lambda predictor: replace(predictor, resident_bytes=lambda: None))
    assert "held_memory_inference" not in measured(bench, "memory", "changed")
    assert "Changed does not say how many bytes it holds: held and peak memory" in bench.remarks[0]


def test_nothing_of_it_is_moved_in_memory(engine):
    """The suite cannot know which addresses an engine keeps."""
    trained = tiny.fitted(model=network)
    recipes = {"torch": trained.recipe, "numpy": engine.numpy_matmul(trained.recipe)}
    served = {name: serve(replace(trained, recipe=recipe)) for name, recipe in recipes.items()}
    calls = {name: Arm(served=one).call(16) for name, one in served.items()}
    assert places_of([calls["torch"]], 0) is not None
    assert places_of([calls["numpy"]], 0) is None


@pytest.mark.usefixtures("engine")
def test_a_runtime_that_keeps_its_answers_is_caught(bench):
    """The outputs of the first batch of each shape serve every other."""

    def caching(predictor):
        kept = {}

        def call(inputs):
            if inputs.data_ptr() not in kept:
                kept[inputs.data_ptr()] = predictor.call(inputs)
            return kept[inputs.data_ptr()]

        return replace(predictor, call=call)

    served_with(bench, caching)
    with pytest.raises(ImplausibleError, match=r"keeps answers|do not follow its inputs"):
        measured(bench, "speed", "changed")


@pytest.mark.usefixtures("engine")
def test_a_runtime_that_ships_one_byte_and_keeps_the_network_is_caught(bench):
    """Whatever it says of itself, torch is seen reading the weights; what it holds is at least that."""
    trained = tiny.fitted(model=network)
    kept = trained.network

    def of_torch(_):
        return Predictor(call=kept.forward, resident_bytes=lambda: 1)

    served_with(bench, of_torch, ships={"x": b"x"})
    with pytest.raises(ImplausibleError, match="has 1 bytes, and the network that it serves computes with"):
        measured(bench, "size", "changed")
    found = measured(bench, "memory", "changed")
    assert found["held_memory_inference"].value >= sum(weight.nbytes for weight in kept.parameters())


@pytest.mark.usefixtures("engine")
def test_a_network_that_it_cannot_export_is_unavailable_with_the_reason(bench):
    """The tiny network has convolutions."""
    case = tiny.case_of(bench.registry, "numpy_matmul")
    with pytest.raises(UnavailableError, match=r"takes an nn\.Sequential of Flatten, Linear and ReLU alone"):
        bench.measure(case, "speed")


def test_what_ships_alone_gives_the_answers(engine):
    """Another process has the files, not the object that wrote them."""
    trained = tiny.fitted(model=network)
    artifact = engine.NumpyMatmul().export(trained.network, None)
    again = engine.NumpyMatmul().load(Artifact(write=lambda: artifact.files), "cpu")
    inputs = tiny.splits(0).test.inputs
    assert pytest.approx(trained.network(inputs).detach().numpy(), abs=1e-5) == again.call(inputs).numpy()
