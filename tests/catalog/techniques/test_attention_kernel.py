"""Attention by a kernel of one's choice."""
# the expected value stands on the left

import pytest
import technique_samples as samples
import tiny
import torch
from technique_samples import composed
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from suite.bench.requirements import require
from suite.core.errors import UnavailableError, UsageError
from suite.registry import REGISTRY


class Operations(TorchDispatchMode):
    """The names of all operations."""

    def __init__(self):
        super().__init__()
        self.names = []

    def __torch_dispatch__(self, function, _types, args=(), kwargs=None):
        self.names.append(str(function))
        return function(*args, **(kwargs or {}))


class Attending(nn.Module):
    """Inputs and outputs [B, 2, 6, 8]."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(8, 8)

    def forward(self, x):
        q = self.layer(x)
        return nn.functional.scaled_dot_product_attention(q, x, x, is_causal=True)


def attending():
    return samples.recipe_of(Attending, torch.randn(8, 2, 6, 8))


def called(recipe):
    """What the recipe's runtime makes of a network on the CPU."""
    return lambda network: recipe.runtime.load(recipe.runtime.export(network, None), "cpu").call


@pytest.mark.parametrize("form", [lambda recipe: recipe.prepare, called], ids=["training", "serving"])
@pytest.mark.parametrize(("backend", "flash"), [("math", False), ("flash", True)])
def test_the_kernel_is_the_chosen_one_and_the_answers_stay(form, backend, flash):
    """While training and while serving."""
    plain = attending()
    network, inputs = plain.model(), plain.data().train.inputs
    with Operations() as found:
        output = form(composed(f"attention_kernel(backend={backend!r})", plain))(network)(inputs)
    assert flash == any("flash" in name for name in found.names)
    torch.testing.assert_close(network(inputs), output)


def test_a_kernel_that_is_not_here_makes_the_cell_unavailable():
    """CPUs have no memory-efficient kernel."""
    plain = attending()
    call = called(composed("attention_kernel(backend='efficient')", plain))(plain.model())
    with pytest.raises(UnavailableError, match="efficient cannot take this network here"):
        call(plain.data().train.inputs)


def test_a_network_without_attention_is_unavailable():
    """Before anything is trained."""
    case = tiny.case_of(REGISTRY, "attention_kernel", "digits_cnn")
    with pytest.raises(UnavailableError, match="never calls torch's scaled_dot_product_attention"):
        require(case, tiny.recipe())
    assert require(case, attending()) is None


def test_an_unknown_kernel_is_an_error():
    """The error lists those that there are."""
    with pytest.raises(UsageError, match="backend must be one of math, flash, efficient, cudnn, got 'fast'"):
        composed("attention_kernel(backend='fast')")
