"""What blocks of processes say about ranks."""
# the expected value stands on the left

from dataclasses import replace

import pytest
import tiny
import torch

from suite.analysis.distributed import blocks
from suite.analysis.distributed.blocks import Block, OneProcessCost, Scaling, of_a_rank, scaling
from suite.core.errors import UsageError
from suite.core.machine import flags
from suite.measure.step import WARM_UP
from suite.registry import REGISTRY
from suite.training.distributed.launching import Rank

SCALING = Scaling(
    technique="ddp",
    ranks=2,
    one=1000,
    many=1500,
    share=0.008,
    step=0.010,
    sent=None,
    own=(0.008, 0.008),
    held=1,
    held_alone=2,
    spread=0,
)

OWN = OneProcessCost(share=0.008, held=2)


def test_a_step_takes_as_long_as_its_slowest_rank():
    block = Block(seconds=((1.0, 1.0, 1.0), (2.0, 1.0, 3.0)), sent=(None, None), items=8)
    assert 2.0 == block.step


def test_the_slowest_rank_is_that_with_the_longest_own_part():
    found = replace(SCALING, own=(0.004, 0.012))
    assert (1, 3.0, 0.8) == (found.slowest.rank, found.slowest.factor, found.slowest.waited)
    assert pytest.approx(0.5) == found.imbalance
    assert not SCALING.slowest.is_slow


def test_efficiency_is_the_speed_up_by_the_ranks():
    assert pytest.approx((0.75, 0.2)) == (SCALING.efficiency, SCALING.communication)
    assert 0 == replace(SCALING, share=0.02).communication


def test_a_rank_has_its_part_of_every_batch():
    """The larger one where the ranks do not divide it."""
    batches = of_a_rank(tiny.recipe(), 3).batches(tiny.splits(0).train, torch.Generator())
    assert [3, 3, 3, 3] == [len(batch) for batch in batches]


def test_one_process_is_no_scaling():
    with pytest.raises(UsageError, match="baseline trains in one process"):
        scaling("baseline", tiny.recipe(), tiny.recipe(), own=OWN)


def test_a_block_is_timed_under_the_settings_of_its_recipe(monkeypatch):
    """Those of its warm-up, too."""
    seen = []
    settings = {"float32_matmul_precision": "medium"}
    noting = (lambda _trainee: seen.append(flags.read()["float32_matmul_precision"]),)
    monkeypatch.setattr(blocks, "run_ranks", lambda work, _ranks: [work(Rank(index=0, world=1))])
    blocks.block(tiny.recipe(flags=settings, callbacks=noting), 1, steps=2)
    assert ["medium"] * (WARM_UP + 2) == seen


@pytest.mark.system
@pytest.mark.timeout(200)
def test_blocks_of_processes_are_timed_and_their_bytes_counted():
    plain, own = tiny.recipe(), OneProcessCost.of(tiny.recipe(), 2, steps=3)
    found = scaling("ddp", plain, REGISTRY.resolve("ddp").apply(plain), own=own, steps=3)
    assert (2, True) == (found.ranks, found.many > 0)
    assert found.sent is None or found.sent > 1000
    assert [2, True] == [len(found.own), min(found.own) > 0]
