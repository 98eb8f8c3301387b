"""Tensor parallelism in pairs of ranks, fully sharded over the pairs: a mesh of two dimensions.

Two neighbouring ranks divide paired Linear layers (Shoeybi et al. 2019, https://arxiv.org/abs/1909.08053) and take the
same items; the pairs of ranks divide the batch and hold parts of every weight (Zhao et al. 2023,
https://arxiv.org/abs/2304.11277). Neighbours send activations, which on machines belongs on the fastest links.
"""

from __future__ import annotations

from suite.core.errors import UsageError
from suite.registry import technique
from suite.training.distributed.in_ranks import in_ranks, sharing_batches
from suite.training.distributed.requirements import has_pairs_of, needs, whole_gradients
from suite.training.distributed.two_dimensions import ShardedPairs
from suite.training.recipe import Recipe

PAIR = 2


@technique(
    slots=("launch", "prepare", "gradients", "loss"), family="distributed",
    needs=needs(has_pairs_of(PAIR), whole_gradients), runs=False,
)  # fmt: skip
def tp_fsdp2(recipe: Recipe, *, ranks: int = 4) -> Recipe:
    """Train on pairs of ranks that divide Linear layers, each pair with a part of the batch and of every weight."""
    if ranks % PAIR or ranks <= PAIR:
        raise UsageError(f"tp_fsdp2: ranks must be an even number of 4 or more, got {ranks}")
    return sharing_batches(in_ranks(recipe, "tp_fsdp2", ranks, ShardedPairs(parts=PAIR)), alike=PAIR)
