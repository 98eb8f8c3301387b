"""TF32 and float8: what they set, and where they are not to be had."""
# the expected value stands on the left

import sys
from types import SimpleNamespace

import pytest
import technique_samples as samples
import tiny
import torch
from technique_samples import composed
from torch import nn

from suite.core.errors import UnavailableError
from suite.core.machine import flags
from suite.core.machine.needs import missing_need
from suite.training.recipe import changed_slots


def test_tf32_is_asked_of_products_and_convolutions():
    """Two flags that exist, beside those of earlier techniques."""
    recipe = composed("tf32", tiny.recipe(flags={"threads": 1}))
    assert {"threads": 1, "float32_matmul_precision": "high", "cudnn_allow_tf32": 1} == recipe.flags
    with flags.applied(recipe.flags):
        assert "high" == torch.get_float32_matmul_precision()


@pytest.mark.parametrize(("need", "word"), [("tensorfloat32", "TF32"), ("float8", "float8")])
def test_a_cpu_has_no_fast_products_of_either(need, word):
    """With the reason in a sentence."""
    assert word in missing_need(need, "cpu")


@pytest.mark.parametrize(("capability", "lacks"), [((8, 0), True), ((8, 9), False), ((9, 0), False)])
def test_float8_needs_the_tensor_cores_that_have_it(capability, lacks, monkeypatch):
    """From Ada and Hopper on."""
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _device=None: capability)
    monkeypatch.setattr("suite.core.machine.needs.family", lambda device: device)
    monkeypatch.setattr(torch.version, "hip", None)
    assert lacks == (missing_need("float8", "cuda") is not None)


@pytest.mark.parametrize("supported", [True, False])
def test_tf32_is_asked_of_torch(supported, monkeypatch):
    """Which knows the cards."""
    monkeypatch.setattr(torch.cuda, "is_tf32_supported", lambda: supported)
    monkeypatch.setattr("suite.core.machine.needs.family", lambda device: device)
    assert supported == (missing_need("tensorfloat32", "cuda") is None)


def test_float8_changes_what_is_served_alone():
    """Training stays."""
    plain = tiny.recipe()
    assert ("quantize", "runtime") == changed_slots(plain, composed("fp8", plain))


def test_a_network_without_a_layer_that_fits_is_told_so():
    """6 x 16, 16 x 8 and 8 x 3: no side pair of multiples of 16."""
    plain = samples.head_first()
    with pytest.raises(UnavailableError, match="no Linear layer whose sides are multiples of 16"):
        composed("fp8", plain).quantize(plain.model(), plain.data().train.inputs)


@pytest.mark.parametrize(
    ("name", "config"),
    [("fp8", "Float8DynamicActivationFloat8WeightConfig"), ("weight_only_int8", "Int8WeightOnlyConfig")],
)
def test_torchao_leaves_the_settings_of_compilers_alone(name, config, monkeypatch):
    """They would stay for whatever is compiled later; older releases set the precision of products as well."""
    seen = {}

    def quantize(_network, made, **_):
        seen.update(made)

    fake = SimpleNamespace(quantize_=quantize, PerTensor=str, **{config: lambda **options: options})
    monkeypatch.setitem(sys.modules, "torchao", SimpleNamespace(quantization=fake))
    monkeypatch.setitem(sys.modules, "torchao.quantization", fake)
    plain = samples.recipe_of(lambda: nn.Sequential(nn.Linear(16, 16)), torch.randn(2, 16))
    composed(name, plain).quantize(plain.model(), plain.data().train.inputs)
    assert seen["set_inductor_config"] is False
