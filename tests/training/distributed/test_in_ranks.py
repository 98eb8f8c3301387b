"""What a recipe of several ranks is before any rank starts."""
# the expected value stands on the left

from types import SimpleNamespace

import pytest
import rank_samples
import tiny
import torch
import torch.distributed as dist
from hypothesis import given
from hypothesis import strategies as st

from suite.core.errors import CompositionError, UnavailableError, UsageError
from suite.registry import REGISTRY
from suite.training.distributed import in_ranks, requirements
from suite.training.distributed.requirements import core_each, on_cpu
from suite.training.distributed.sequence_norms import normed_pairs
from suite.training.distributed.staged import parts_for, stages_of
from suite.training.distributed.tensor_pairs import pairs_of
from suite.training.recipe import Batch

NAMES = ("ddp", "ddp_accumulation", "ddp_hook", "zero1", "fsdp2", "fsdp2_bf16", "hsdp", "tensor_parallel", "pipeline")
NAMES += ("sequence_parallel", "tp_fsdp2", "fsdp2_offload")


@pytest.mark.parametrize("name", NAMES)
def test_a_distributed_technique_is_listed_with_its_family_and_runs_by_name_alone(name):
    declared = REGISTRY.find_technique(name)
    assert ("distributed", False) == (declared.family, declared.runs)
    assert declared.parameters["ranks"].default == REGISTRY.resolve(name).apply(tiny.recipe()).launch.ranks


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ddp(ranks=1)", "ddp: ranks must be 2 or more, got 1"),
        ("ddp_accumulation(steps=0)", "steps must be 1 or more, got 0"),
        ("ddp_hook(hook='fp8')", "unknown hook of ddp_hook 'fp8'"),
        ("ddp_hook(rank=0)", "rank must be 1 or more, got 0"),
        ("hsdp(ranks=4,parts=3)", "parts must be 2 or more and divide ranks more than once, got 3 and 4"),
        ("tp_fsdp2(ranks=2)", "ranks must be an even number of 4 or more, got 2"),
        ("tp_fsdp2(ranks=5)", "ranks must be an even number of 4 or more, got 5"),
        ("pipeline(schedule='zigzag')", "unknown schedule of pipeline 'zigzag'"),
        ("pipeline(parts=0)", "parts must be 1 or more, got 0"),
    ],
)
def test_a_parameter_that_cannot_be_is_refused_with_its_value(text, said):
    with pytest.raises(UsageError, match=said):
        REGISTRY.resolve(text).apply(tiny.recipe())


def test_a_network_that_another_technique_wraps_is_refused():
    with pytest.raises(CompositionError, match="ddp wraps the network itself"):
        REGISTRY.resolve("gradient_checkpointing+ddp").apply(tiny.recipe())


@given(items=st.integers(1, 40), world=st.integers(2, 8))
def test_shares_are_the_batch_and_their_weighted_means_its_mean(items, world):
    """However many items there are; a rank without one takes part with weight 0."""
    values = torch.arange(items, dtype=torch.float64)
    batch, total, seen = Batch(inputs=values, targets=values), 0.0, 0
    for number in range(world):
        mine, weight = in_ranks.share(batch, number, world)
        total += weight * float(mine.inputs.mean()) / world
        seen += len(mine) if weight else 0
    assert items == seen
    assert pytest.approx(float(values.mean())) == total


@pytest.mark.parametrize(("items", "parts"), [(32, 4), (7, 7), (6, 3), (1, 1)])
def test_a_batch_is_taken_in_equal_parts_near_the_wanted_number(items, parts):
    assert parts == parts_for(items, 4, 2)


def test_ranks_beyond_the_cores_or_on_an_accelerator_are_unavailable(monkeypatch):
    """With the numbers."""
    monkeypatch.setattr(requirements, "allowed_cores", lambda: {1, 3})
    resolved = tiny.case_of(REGISTRY, "ddp(ranks=4)", "digits_cnn")
    assert "4 ranks need 4 cores, and this process may use 2" == core_each(resolved)
    assert on_cpu(resolved) is None


class Tied(torch.nn.Module):
    """Inputs [B, 8]; two layers share their weight."""

    def __init__(self):
        super().__init__()
        self.first, self.second = torch.nn.Linear(8, 8), torch.nn.Linear(8, 8)
        self.second.weight = self.first.weight

    def forward(self, x):
        return self.second(torch.relu(self.first(x)))


def test_stages_that_share_a_weight_are_no_pipeline():
    with pytest.raises(UnavailableError, match="share a weight"):
        stages_of(Tied(), 2)


def test_a_network_without_pairs_has_nothing_to_divide():
    with pytest.raises(UnavailableError, match="no two Linear layers in a row whose common channels 3 ranks divide"):
        pairs_of(tiny.Net(), 3)


def test_a_normalisation_is_found_before_the_pair_that_alone_reads_it():
    assert [("norm", ("fc1", "fc2"))] == normed_pairs(rank_samples.Normed(), 2)


def test_a_network_without_such_a_normalisation_has_no_sequence_to_divide():
    with pytest.raises(UnavailableError, match="no LayerNorm or RMSNorm whose outputs are read by two Linear layers"):
        normed_pairs(tiny.Net(), 2)


def test_neighbours_that_take_the_same_items_are_no_shares(monkeypatch):
    """Of four ranks in pairs the last two have the second half of a batch."""
    monkeypatch.setattr(dist, "is_initialized", lambda: True)
    monkeypatch.setattr(dist, "get_world_size", lambda: 4)
    monkeypatch.setattr(in_ranks, "summed_loss", lambda loss: 4 * loss)
    values, seen = torch.arange(6.0), []
    batch = Batch(inputs=values, targets=values)

    def note(_trainee, mine, _backward):
        seen.append(mine.inputs.tolist())
        return torch.zeros(())

    for rank in range(4):
        monkeypatch.setattr(dist, "get_rank", lambda rank=rank: rank)
        in_ranks.of_share(note, SimpleNamespace(steps=1, kept={}), batch, None, alike=2)
    assert [[0.0, 1.0, 2.0]] * 2 + [[3.0, 4.0, 5.0]] * 2 == seen
