"""Hybrid sharding: groups of ranks each hold the whole network in parts, and the groups divide the batch further.

Zhao et al. 2023, https://arxiv.org/abs/2304.11277, section 3.2.2: a mesh of two dimensions, such as machines by their
accelerators. Parts are gathered within a group; between groups only reduced gradients are sent.
"""

from __future__ import annotations

from suite.core.errors import UsageError
from suite.registry import technique
from suite.training.distributed.in_ranks import in_ranks, sharing_batches
from suite.training.distributed.requirements import needs
from suite.training.distributed.wraps import FullyShard
from suite.training.recipe import Recipe


@technique(
    slots=("launch", "prepare", "gradients", "loss"), family="distributed", needs=needs(), runs=False
)  # fmt: skip
def hsdp(recipe: Recipe, *, ranks: int = 4, parts: int = 2) -> Recipe:
    """Train on ``ranks / parts`` groups of ``parts`` ranks that each hold a part of every weight."""
    if parts < 2 or ranks % parts or ranks == parts:  # noqa: PLR2004  # one part, or one group, is no second dimension
        raise UsageError(f"hsdp: parts must be 2 or more and divide ranks more than once, got {parts} and {ranks}")
    return sharing_batches(in_ranks(recipe, "hsdp", ranks, FullyShard(parts=parts)))
