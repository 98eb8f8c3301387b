"""Fully sharded data parallelism: a rank holds its part of each weight, gradient and optimizer state.

Zhao et al. 2023, https://arxiv.org/abs/2304.11277, as torch's ``fully_shard`` builds it: weights are gathered for a
layer's forward and backward, gradients are reduced into parts. Ranks hold ``ranks`` times less, and send half as much
again as data parallelism. Weights after training are those of one process but for rounding.
"""

from __future__ import annotations

from suite.registry import technique
from suite.training.distributed.in_ranks import in_ranks, sharing_batches
from suite.training.distributed.requirements import needs
from suite.training.distributed.wraps import FullyShard
from suite.training.recipe import Recipe


@technique(
    slots=("launch", "prepare", "gradients", "loss"), family="distributed", sweep={"ranks": (2, 4)}, needs=needs(),
    runs=False,
)  # fmt: skip
def fsdp2(recipe: Recipe, *, ranks: int = 2) -> Recipe:
    """Train on so many ranks that each hold a part of every weight."""
    return sharing_batches(in_ranks(recipe, "fsdp2", ranks, FullyShard()))
