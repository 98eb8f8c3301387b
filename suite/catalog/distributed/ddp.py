"""Data parallelism: each rank holds the network and a share of the batch; gradients are averaged during backward.

DistributedDataParallel, Li et al. 2020, https://arxiv.org/abs/2006.15704. Each rank's loss counts by its items, so that
the weights are those of one process on the whole batch but for rounding, also where the ranks do not divide the batch.
Batch normalisation sees a rank's share: statistics are those of ``ranks`` times fewer items, as with `accumulation`.
"""

from __future__ import annotations

from suite.registry import technique
from suite.training.distributed.in_ranks import in_ranks, sharing_batches
from suite.training.distributed.requirements import needs
from suite.training.distributed.wraps import data_parallel
from suite.training.recipe import Recipe


@technique(
    slots=("launch", "prepare", "gradients", "loss"), family="distributed", sweep={"ranks": (2, 4)}, needs=needs(),
    runs=False,
)  # fmt: skip
def ddp(recipe: Recipe, *, ranks: int = 2) -> Recipe:
    """Train on so many ranks that divide each batch and average gradients."""
    return sharing_batches(in_ranks(recipe, "ddp", ranks, data_parallel))
