"""Fully sharded data parallelism whose parts, gradients and optimizer state stay in the host's memory.

Zhao et al. 2023, https://arxiv.org/abs/2304.11277, with torch's CPUOffloadPolicy: a layer's weights are copied to the
device for its forward and backward, and gradients back. Ranks on CPUs compute where the parts are, so that it saves no
memory there; it is measured there for its weights, which are those of one process, and for what the copies cost.
"""

from __future__ import annotations

from suite.registry import technique
from suite.training.distributed.in_ranks import in_ranks, sharing_batches
from suite.training.distributed.requirements import needs
from suite.training.distributed.wraps import FullyShard
from suite.training.recipe import Recipe


@technique(
    slots=("launch", "prepare", "gradients", "loss"), family="distributed", needs=needs(), runs=False
)  # fmt: skip
def fsdp2_offload(recipe: Recipe, *, ranks: int = 2) -> Recipe:
    """Train on so many ranks that each hold a part of every weight in the host's memory."""
    return sharing_batches(in_ranks(recipe, "fsdp2_offload", ranks, FullyShard(offloads=True)))
