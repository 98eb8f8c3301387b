"""What techniques promise of weights: each promise holds or says what is there instead, and the error names members."""
# the expected value stands on the left

import pytest
import tiny
import torch
from torch import nn

from suite.bench.bench import Bench, Plan
from suite.core.errors import BrokenPromiseError, IncapableError
from suite.registry import REGISTRY
from suite.training import invariants
from suite.training.surgery.factoring import LowRank

OWN = ("low_rank", False)
ROWS = torch.arange(4.0)[:, None].repeat(1, 4)


def linear(weight):
    """A network of one matrix."""
    layer = nn.Linear(*reversed(weight.shape), bias=False)
    layer.weight = nn.Parameter(weight)
    return nn.Sequential(layer)


@pytest.mark.parametrize(
    ("invariant", "holds", "fails", "said"),
    [
        (invariants.Sparse(0.5), torch.eye(4), torch.ones(4, 4), "one of 0"),
        (invariants.Sparse(0.5, each=True), torch.eye(4), torch.ones(4, 4), "one of 0 in a layer of 16 weights"),
        (
            invariants.TwoOfFour(), torch.tensor([[1.0, 1, 0, 0] * 2]), torch.tensor([[1.0, 1, 1, 0, 0, 0, 0, 0]]),
            r"more than two that are not in 1 of 2 groups of \(1, 8\)",
        ),
        (invariants.Levels(2), torch.eye(4), torch.arange(4.0)[None], r"4 in a weight \(1, 4\)"),
        (invariants.Levels(2, group=0), ROWS, torch.arange(4.0)[None], "4 in a weight"),
        (invariants.Levels(2, sparsity=0.5), torch.eye(4), torch.ones(4, 4), "one of 0"),
    ],
)  # fmt: skip
def test_a_promise_holds_or_says_what_is_there_instead(invariant, holds, fails, said):
    """For a network that has what was promised, and for one that has not."""
    assert invariant.broken(linear(holds)) is None
    with pytest.raises(BrokenPromiseError, match=f"mine promised {invariant}, and the network has {said}"):
        invariants.check([invariants.Promise(member="mine", suspect="other", invariant=invariant)], linear(fails))


def test_factors_have_at_most_their_rank():
    """None is promised where the energy decides."""
    network = nn.Sequential(LowRank(nn.Linear(8, 3, bias=False), nn.Linear(3, 8)))
    assert [None, None] == [invariants.Ranked(rank).broken(network) for rank in (0, 3)]
    assert "one of rank 3" == invariants.Ranked(2).broken(network)


def test_tied_weights_stay_tied():
    """Names that are gone promise nothing."""
    network = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
    network[1].weight = network[0].weight
    promises = invariants.tied(network, "other")
    invariants.check(promises, network)
    network[1].weight = nn.Parameter(torch.zeros(4, 4))
    with pytest.raises(BrokenPromiseError, match=r"that 0.weight and 1.weight are tied, .* other acted last"):
        invariants.check(promises, network)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ema+magnitude_pruning", [("magnitude_pruning", "ema", False)]),
        ("random_pruning+low_rank+dynamic_int8", [("random_pruning", "low_rank", False), ("low_rank", *OWN)]),
        (
            "semi_structured+simulated_qat",
            [("semi_structured", "simulated_qat", False), ("simulated_qat", "simulated_qat", True)],
        ),
        ("prune_at_init", [("prune_at_init", "prune_at_init", False)]),
        ("label_smoothing+compiled", []),
    ],
)  # fmt: skip
def test_a_composition_knows_who_promised_and_who_could_have_broken_it(text, expected):
    """Members that change weights; those that quantize only where the promise is of what they make."""
    found = REGISTRY.resolve(text).promises
    assert expected == [(promise.member, promise.suspect, promise.quantized) for promise in found]


class Dense:
    """A promise that nobody keeps."""

    def __str__(self):
        return "no zeros"

    def broken(self, _network):
        return "some"


@pytest.fixture
def registry():
    made = tiny.registry()

    @made.technique(slots=("finish",), promises=Dense)
    def dense(plain):
        """Promise what is not so."""
        return plain

    return made


def test_a_broken_promise_is_an_error_of_the_cell(registry):
    """It names the member that promised, and the one that came last."""
    with (
        Bench(registry=registry, device="cpu", plan=Plan(profile="quick", seeds=1)) as bench,
        pytest.raises(BrokenPromiseError, match="dense promised no zeros, and the network has some; halved acted last"),
    ):
        bench.measure(tiny.case_of(registry, "dense+halved"), "quality")


def test_a_promise_that_structure_breaks_makes_the_cell_unavailable_before_training():
    """Low-rank factors of a pruned matrix are dense."""
    case = tiny.case_of(REGISTRY, "magnitude_pruning+low_rank", "digits_cnn")
    with Bench(registry=REGISTRY, device="cpu", plan=Plan(profile="quick", seeds=1)) as bench:
        bench.preflight([case])
        with pytest.raises(IncapableError, match=r"promised a sparsity of 0.8, .* low_rank acted last"):
            bench.measure(case, "quality")
