"""ONNX Runtime, OpenVINO and ExecuTorch: they answer as the network does, in the precision that they say."""
# the expected value stands on the left

import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import pytest
import tiny
import torch
from technique_samples import composed

from suite.claims.facts.machine import has_bf16, has_int8
from suite.core.errors import TechniqueError, UnavailableError
from suite.training import engines, executorch_engine, onnx_engine, openvino_engine
from suite.training.macs import macs_of
from suite.training.recipe import changed_slots
from suite.training.serving import predict, serve

ERRORS = {
    "executorch": 1e-5,
    "executorch_int8": 0.3,
    "onnxruntime": 1e-5,
    "onnxruntime_dynamic_int8": 0.1 if has_int8() else 0.15,  # without the instructions sums of products saturate
    "onnxruntime_int8": 0.3,
    "openvino": 1e-5,
    "openvino_bf16": 0.1,
    "openvino_int8": 0.3,
}
PRECISIONS = {name: name.rpartition("_")[2] if "_" in name else "fp32" for name in ERRORS}
DEVICES = {"executorch": "XNNPACK"}  # the CPU's, beside the engine's own kernels


@pytest.fixture(scope="module")
def fitted():
    return tiny.fitted()


def case_on(device):
    return SimpleNamespace(cell=SimpleNamespace(device=device))


@pytest.mark.parametrize("name", sorted(ERRORS))
def test_only_what_is_served_changes(name):
    """The trained network is the baseline's; an 8-bit file leaves nothing for another quantizer."""
    plain = tiny.recipe()
    assert ("runtime",) == changed_slots(plain, composed(name, plain))


def test_a_package_that_is_missing_is_named_with_the_extra(monkeypatch):
    """The command installs it."""
    monkeypatch.setattr(engines.importlib.util, "find_spec", lambda name: None if name == "onnx" else object())
    said = onnx_engine.installed(case_on("cpu"))
    assert "onnx is not installed: pip install 'tradeoff-suite[onnxruntime]'" == said
    monkeypatch.setattr(engines.importlib.util, "find_spec", lambda _: None)
    assert "openvino, nncf is not installed" in (openvino_engine.installed_with_nncf(case_on("cpu")) or "")
    assert "pip install 'tradeoff-suite[executorch]'" in (executorch_engine.installed(case_on("cpu")) or "")


def test_an_accelerator_is_not_served(monkeypatch):
    """These runtimes are the CPU's."""
    for module in (onnx_engine, openvino_engine, executorch_engine):
        monkeypatch.setattr(engines.importlib.util, "find_spec", lambda _: object())
        assert "serves on a CPU, not on cuda:0" in (module.installed(case_on("cuda:0")) or "")


def missing(name):
    """What has to be installed for a technique here."""
    modules = {"onnxruntime": onnx_engine, "openvino": openvino_engine, "executorch": executorch_engine}
    module = modules[name.partition("_")[0]]
    need = module.installed_with_nncf if name == "openvino_int8" else module.installed
    return need(case_on("cpu"))


def served(name, fitted):
    if reason := missing(name):
        pytest.skip(reason)
    return serve(replace(fitted, recipe=composed(name)))


@pytest.mark.system
@pytest.mark.parametrize("name", sorted(ERRORS))
def test_an_engine_answers_as_the_network_in_the_precision_of_its_name(name, fitted):
    """One item at a time and many."""
    if name == "openvino_bf16" and not has_bf16():
        with pytest.raises(TechniqueError, match=r"mislabelled: openvino was to compute in bf16, .* run in fp32"):
            served(name, fitted)
        return
    inputs = tiny.splits(0).test.inputs
    expected = fitted.network(inputs).detach()
    found = served(name, fitted)
    assert found.predictor is not None
    assert found.predictor.executed is not None
    assert PRECISIONS[name] in found.predictor.executed.precision
    assert name.partition("_")[0] == found.predictor.executed.engine
    ran = found.predictor.executed.macs
    assert {f"{PRECISIONS[name]} on {DEVICES.get(found.predictor.executed.engine, 'CPU')}"} == set(ran)
    assert macs_of(fitted.network, inputs[:1]) <= sum(ran.values())  # more where an engine pads channels
    assert not found.in_torch
    for batch in (1, 16):
        answers = predict(found, inputs, batch=batch)
        assert float((answers - expected).abs().max() / expected.abs().max()) < ERRORS[name]


@pytest.mark.system
@pytest.mark.parametrize(
    ("name", "file", "code"),
    [
        (
            "onnxruntime",
            "network.onnx",
            "import onnxruntime as o; s = o.InferenceSession('network.onnx'); f = lambda x: s.run(None, {'x': x})[0]",
        ),
        (
            "openvino",
            "network.xml",
            "import openvino as o; c = o.Core().compile_model('network.xml', 'CPU'); f = lambda x: c(x)[0]",
        ),
    ],
)
def test_the_files_alone_are_served_by_a_process_without_torch(name, file, code, fitted, tmp_path):
    """As they ship."""
    found = served(name, fitted)
    assert file in found.artifact.files
    for one, content in found.artifact.files.items():
        (tmp_path / one).write_bytes(content)
    check = "import sys, numpy as np; y = f(np.zeros((3, 1, 8, 8), 'float32')); assert 'torch' not in sys.modules"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}; {check}; print(y.shape)"], cwd=tmp_path, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert "(3, 2)" == done.stdout.strip(), done.stderr


@pytest.mark.system
def test_a_network_that_cannot_be_exported_is_unavailable():
    """With the reason."""

    class Branches(torch.nn.Module):
        def forward(self, x):
            return x * 2 if float(x.sum()) > 0 else x

    if reason := missing("onnxruntime"):
        pytest.skip(reason)
    runtime = composed("onnxruntime").runtime
    with pytest.raises(UnavailableError, match=r"torch.export cannot trace this network"):
        runtime.export(Branches(), torch.ones(2, 3))
