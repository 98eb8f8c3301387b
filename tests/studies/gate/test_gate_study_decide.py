"""Planted work and decisions on it, with a network that is tiny."""
# the expected value stands on the left

import pytest
import torch
from torch import nn

from studies.gate.decide import CELL, METRIC, GateTerms, decide, expectation, settled
from studies.gate.peers import PEERS
from studies.gate.planted import UNITS, Network, calibrated
from suite.core.metrics import measured
from suite.core.records import VerdictKind
from suite.gate.power import too_tight

TERMS = GateTerms(low=0.99, noise=0.001, seconds=0.02)


class Counting(nn.Module):
    """Remembers at which address it was called."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(4))
        self.calls = []

    def forward(self, inputs):
        self.calls.append(self.weight.data_ptr())
        return inputs * self.weight


def made(units=1000.0):
    return Network(network=Counting(), inputs=torch.ones(4), units=units)


def ratio(value, half=1e-3):
    return measured(CELL, METRIC, value, low=value - half, high=value + half, confidence=0.99, n=100)


def test_a_share_of_work_is_whole_products():
    """What was planted is what the rounding leaves, and is said."""
    assert 30 == made().products(0.03)
    assert 2 == made(units=70.0).products(0.03)
    assert pytest.approx(2 / 70) == made(units=70.0).realised(0.03)
    assert 0 == made().realised(0.0)


def test_products_are_counted_in_the_time_of_a_call():
    """A hundred products' time for a call means that a call of a hundred products is twice as long."""
    network = calibrated(nn.Identity(), torch.ones(1), seed=0, seconds=0.05)
    assert 0 < network.units < UNITS


def test_copies_lie_at_other_addresses():
    """Neither weights nor inputs are those of the network itself."""
    network = made()
    first, second = network.call(), network.call()
    first()
    second()
    assert [] == network.network.calls


def test_a_bound_of_the_study_would_pass_lint():
    """A ratio of 1 with its noise known."""
    assert "" == too_tight(expectation(0.99, 0.003))
    assert "" != too_tight(expectation(0.99, 0.02))


def test_what_has_regressed_is_measured_again():
    """A second process that agrees settles it."""
    verdict, values = settled(ratio(0.9), lambda: ratio(0.91), TERMS)
    assert ("regressed", [0.9, 0.91]) == (str(verdict.kind), list(values))


def test_a_loss_that_no_repeat_sees_is_none():
    """Two of three processes disagree with the first."""
    verdict, values = settled(ratio(0.9), lambda: ratio(1.0), TERMS)
    assert ("inconclusive", 3) == (str(verdict.kind), len(values))


def test_what_passes_is_not_repeated():
    """An unneeded repeat would be an error here."""
    verdict, values = settled(ratio(1.0), lambda: pytest.fail("asked"), TERMS)
    assert ("pass", [1.0]) == (str(verdict.kind), list(values))


def test_outside_of_a_quiet_process_nothing_is_told():
    """The study does not say more than the gate would."""
    verdict, _ = settled(ratio(0.9), lambda: ratio(0.9), GateTerms(low=0.99, noise=0.001, seconds=1.0, quiet=False))
    assert "inconclusive" == str(verdict.kind)


def test_peers_are_asked_only_if_wanted():
    """They take as long as the gate."""
    network = calibrated(nn.Linear(64, 64), torch.ones(64, 64), seed=0, seconds=0.05)
    assert {} == decide(network, 10.0, terms=TERMS, seed=0, repeat=lambda: ratio(0.1), peers=False).peers


def test_a_decision_holds_what_gate_and_peers_said():
    """One record with the share that was planted, a verdict and each peer's answer."""
    network = calibrated(nn.Linear(64, 64), torch.ones(64, 64), seed=0, seconds=0.05)
    found = decide(network, 10.0, terms=TERMS, seed=0, repeat=lambda: ratio(0.1))
    assert 10.0 == pytest.approx(found.realised, rel=0.05)
    assert PEERS.keys() == found.peers.keys()
    assert found.verdict in set(VerdictKind)
