"""Sparse products after the 2:4 pattern; the kernels exist on CUDA alone: the compressed form is dense here."""
# the expected value stands on the left

import pytest
import technique_samples as samples
import tiny
import torch
from technique_samples import composed
from torch import nn

from suite.catalog.techniques.sparse_linear import SparseLinear
from suite.core.errors import UnavailableError
from suite.core.machine.needs import missing_need
from suite.training.recipe import changed_slots


class Wide(nn.Module):
    """One layer of 64 x 32 that the kernels take, one of 32 x 3 that they don't; inputs [B, 64]."""

    def __init__(self):
        super().__init__()
        self.body, self.head = nn.Linear(64, 32), nn.Linear(32, 3)

    def forward(self, x):
        return self.head(torch.relu(self.body(x)))


@pytest.fixture
def dense(monkeypatch):
    """The product as it is, but for the form."""
    monkeypatch.setattr("torch.sparse.to_sparse_semi_structured", lambda weight: weight)


def wide():
    return samples.recipe_of(Wide, torch.randn(16, 64))


@pytest.mark.usefixtures("dense")
def test_layers_with_the_pattern_answer_in_their_own_type_as_before():
    """But for float16; the layer that does not fit is left."""
    recipe = composed("semi_structured+sparse_linear", wide())
    pruned = samples.trained("semi_structured", wide()).network
    inputs = recipe.data().train.inputs
    expected = pruned(inputs)
    served = recipe.quantize(pruned, inputs)
    assert isinstance(served.body, SparseLinear)
    assert isinstance(served.head, nn.Linear)
    assert torch.float32 == served(inputs).dtype
    torch.testing.assert_close(expected, served(inputs), rtol=1e-2, atol=1e-2)


@pytest.mark.usefixtures("dense")
def test_a_dense_network_is_told_what_to_compose():
    """Before anything is compressed."""
    recipe = composed("sparse_linear", wide())
    with pytest.raises(UnavailableError, match="compose it after semi_structured"):
        recipe.quantize(recipe.model(), recipe.data().train.inputs)


class Attending(nn.Module):
    """Attention, whose output layer is a Linear that it never calls, and a layer beside it; inputs [B, 4, 64]."""

    def __init__(self):
        super().__init__()
        self.attention, self.body = nn.MultiheadAttention(64, 2, batch_first=True), nn.Linear(64, 32)

    def forward(self, x):
        return self.body(self.attention(x, x, x, need_weights=False)[0])


@pytest.mark.usefixtures("dense")
def test_the_output_layer_of_attention_stays_as_it_was():
    """Attention multiplies by its weight itself, in the type of the inputs."""
    plain = samples.recipe_of(Attending, torch.randn(8, 4, 64))
    network = Attending()
    for layer in (network.body, network.attention.out_proj):
        layer.weight.data[:, ::2] = 0
    inputs = plain.data().train.inputs
    served = composed("sparse_linear", plain).quantize(network.eval(), inputs)
    assert isinstance(served.body, SparseLinear)
    assert not isinstance(served.attention.out_proj, SparseLinear)
    with torch.no_grad():
        assert (8, 4, 32) == served(inputs).shape


def test_what_is_served_changes_alone():
    """Training stays."""
    plain = tiny.recipe()
    assert ("quantize", "runtime") == changed_slots(plain, composed("sparse_linear", plain))


def test_a_cpu_has_no_sparse_products():
    """With the reason in a sentence."""
    assert "sparse products on CUDA alone" in missing_need("sparse_products", "cpu")


@pytest.mark.parametrize(("capability", "lacks"), [((7, 5), True), ((8, 0), False), ((9, 0), False)])
def test_sparse_products_need_the_tensor_cores_that_have_them(capability, lacks, monkeypatch):
    """From Ampere on."""
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _device=None: capability)
    monkeypatch.setattr("suite.core.machine.needs.family", lambda device: device)
    monkeypatch.setattr(torch.version, "hip", None)
    assert lacks == (missing_need("sparse_products", "cuda") is not None)
