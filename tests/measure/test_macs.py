"""Multiply-accumulates: counted by hand, and left out where the counter is blind."""
# the expected value stands on the left

import pytest
import tiny
import torch
import torch.nn.functional as F  # noqa: N812  # torch's own convention
from torch import nn
from torch.nn.utils import parametrizations

from suite.catalog.workloads.digits_cnn import SimpleCNN
from suite.measure.macs import macs, macs_of
from suite.measure.size import parameters
from suite.training.loop import Trained, untrained
from suite.training.recipe import Split, Splits


def counted(network, *inputs):
    part = Split(inputs=torch.zeros(2, *inputs), targets=torch.zeros(2, dtype=torch.long))
    recipe = tiny.recipe(data=lambda: Splits(train=part, validation=part, test=part))
    return macs(Trained(recipe=recipe, network=network.eval(), device="cpu", seed=0, seconds=0.0))


def test_the_repaired_article_network_has_the_figures_that_its_page_states():
    """225,034 weights and 2,631,040 multiply-accumulates for one image of 28 x 28."""
    part = Split(inputs=torch.zeros(2, 1, 28, 28), targets=torch.zeros(2, dtype=torch.long))
    recipe = tiny.recipe(model=SimpleCNN, data=lambda: Splits(train=part, validation=part, test=part))
    trained = untrained(recipe, seed=0, device="cpu")
    assert 225_034 == parameters(trained.network)
    assert 2_631_040 == macs(trained)


@pytest.mark.parametrize("layout", ["contiguous", "channels_last"])
def test_macs_are_those_of_one_image_in_any_layout(layout):
    """Counted by hand: two convolutions, 64 and 36 positions, and two Linear layers; a batch does not count."""
    trained = untrained(tiny.recipe(layout=layout), seed=0, device="cpu")
    assert 64 * 8 * 9 + 36 * 8 * 8 * 9 + 72 * 16 + 16 * 2 == macs(trained)


class Unknown(nn.Module):
    """A Linear layer by a kernel that no counter knows: numbers leave torch and come back."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(8, 8))

    def forward(self, x):
        return torch.from_numpy(x.detach().numpy() @ self.weight.detach().numpy())


def test_a_network_of_unknown_kernels_has_no_macs():
    """Zero would be an exact figure, and wrong."""
    with pytest.warns(UserWarning, match="no operator of the network is known to torch's FLOP counter"):
        assert counted(Unknown(), 8) is None


def test_a_module_whose_kernel_is_unknown_is_named():
    """A half that is counted does not stand for the whole."""
    network = nn.Sequential(nn.Linear(8, 8), Unknown(), nn.Sequential(*(Unknown() for _ in range(4))))
    with pytest.warns(UserWarning, match=r"no operator of 1, 2\.0, 2\.1 and 2 more is known"):
        assert counted(network, 8) is None


def test_a_network_without_products_has_no_macs():
    """Nothing was counted: there is no figure."""
    with pytest.warns(UserWarning, match="no operator of this network"):
        assert counted(nn.ReLU(), 8) is None


class Words(nn.Module):
    """A table of words, normalised, and a layer."""

    def __init__(self):
        super().__init__()
        self.table, self.norm, self.out = nn.Embedding(10, 8), nn.LayerNorm([3, 8]), nn.Linear(8, 2)

    def forward(self, x):
        return self.out(self.norm(self.table(x.long())))


def test_tables_and_norms_are_not_missed():
    """They have weights of two dimensions and multiply nothing that is counted."""
    assert 3 * 8 * 2 == counted(Words(), 3)


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (nn.MultiheadAttention(8, 2, batch_first=True), 3 * 8 * 24 + 3 * 8 * 8 + 2 * 3 * 3 * 8),
        (
            nn.TransformerEncoderLayer(8, 2, 16, batch_first=True),
            3 * 8 * 24 + 3 * 8 * 8 + 2 * 3 * 3 * 8 + 2 * 3 * 8 * 16,
        ),
    ],
    ids=["attention", "encoder layer"],
)
def test_weights_that_a_module_reads_from_another_are_counted_there(layer, expected):
    """Attention reads its output layer's weight without calling it; torch's fast path, which is not counted, is off."""

    class Attend(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = layer

        def forward(self, x):
            return layer(x, x, x)[0] if isinstance(layer, nn.MultiheadAttention) else layer(x)

    assert expected == counted(Attend(), 3, 8)
    assert torch.backends.mha.get_fastpath_enabled()


@pytest.mark.parametrize("parametrized", [parametrizations.weight_norm, parametrizations.spectral_norm])
def test_the_weights_of_a_parametrized_layer_are_counted_where_it_multiplies(parametrized):
    """They lie in a module below it, which computes no product."""
    network = nn.Sequential(parametrized(nn.Linear(30, 20)), parametrized(nn.Linear(20, 3))).eval()
    assert 660 == macs_of(network, torch.randn(1, 30))
    assert 600 == macs_of(network[0], torch.randn(1, 30))


def test_a_layer_that_serving_does_not_use_is_not_missed():
    """A head for training alone costs nothing to serve."""

    class Headed(nn.Module):
        def __init__(self):
            super().__init__()
            self.body, self.auxiliary = nn.Linear(8, 2), nn.Linear(8, 2)

        def forward(self, x):
            return F.relu(self.body(x))

    assert 16 == counted(Headed(), 8)


def test_a_layer_that_is_called_twice_counts_twice():
    """Each time it multiplies."""
    layer = nn.Linear(8, 8)
    assert 2 * 64 == counted(nn.Sequential(layer, nn.Sequential(layer)), 8)


def test_no_hook_stays_behind():
    """Not even after an error."""
    network = nn.Sequential(nn.Linear(8, 8))
    counted(network, 8)
    with pytest.raises(RuntimeError):
        counted(network, 9)
    assert [False, False] == [bool(m._forward_hooks or m._forward_pre_hooks) for m in network.modules()]
