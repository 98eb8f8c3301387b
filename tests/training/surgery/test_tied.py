"""Tied weights count once, ship once and stay tied."""
# the expected value stands on the left

import pytest
import torch
from torch import nn

from suite.core.errors import UnavailableError
from suite.training.surgery import codebook, tied


class Tied(nn.Module):
    def __init__(self, *, also=True):
        super().__init__()
        self.table, self.mix, self.head = nn.Embedding(64, 48), nn.Linear(48, 48), nn.Linear(48, 64, bias=False)
        self.own = nn.Linear(64, 64) if also else nn.Identity()
        self.head.weight = self.table.weight

    def forward(self, tokens):
        return self.own(self.head(torch.relu(self.mix(self.table(tokens)))))


def test_the_names_of_a_tied_weight_are_found():
    """Each group once; weights of their own are in none."""
    assert [("table.weight", "head.weight")] == tied.ties(Tied())
    assert [] == tied.ties(nn.Linear(2, 2))


def test_layers_with_a_weight_of_their_own_are_those_that_may_be_replaced():
    """A replaced layer would hold a second copy of a tied one."""
    assert ["mix", "own"] == tied.own_layers(Tied(), nn.Linear, "mine")
    network = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
    network[1].weight = network[0].weight
    with pytest.raises(UnavailableError, match="mine: the network has no Linear layer with a weight of its own"):
        tied.own_layers(network, nn.Linear, "mine")


def test_a_technique_that_unties_weights_is_unavailable():
    """It would serve another network than the user's."""
    network = Tied()
    before = tied.ties(network)
    tied.check_tied(before, network, "mine")
    network.head.weight = nn.Parameter(network.head.weight.detach().clone())
    with pytest.raises(UnavailableError, match=r"mine: it gives table.weight and head.weight weights of their own"):
        tied.check_tied(before, network, "mine")


def test_deep_compression_codes_tied_weights_once():
    """They decode under both names."""
    network = Tied()
    codebook.share(network, 16)
    artefact = codebook.coded_bytes(network)
    found = codebook.decode(artefact)
    assert network.state_dict().keys() == found.keys()
    network.head.weight = nn.Parameter(network.head.weight.detach().clone() + 0.5)
    assert len(artefact) < 0.8 * len(codebook.coded_bytes(network))
