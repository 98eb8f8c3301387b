"""Fully sharded data parallelism that gathers weights, and computes, in bfloat16; gradients are reduced in float32.

Zhao et al. 2023, https://arxiv.org/abs/2304.11277, section 4.4. The parts that ranks hold and update stay in float32.
Gathering sends half the bytes. Weights are not those of one process in float32.
"""

from __future__ import annotations

import torch

from suite.registry import technique
from suite.training.distributed.in_ranks import in_ranks, sharing_batches
from suite.training.distributed.requirements import needs
from suite.training.distributed.wraps import FullyShard
from suite.training.recipe import Recipe


@technique(
    slots=("launch", "prepare", "gradients", "loss"), family="distributed", needs=needs("bf16"), runs=False
)  # fmt: skip
def fsdp2_bf16(recipe: Recipe, *, ranks: int = 2) -> Recipe:
    """Train on so many ranks that hold parts in float32 and compute in bfloat16."""
    return sharing_batches(in_ranks(recipe, "fsdp2_bf16", ranks, FullyShard(computes_in=torch.bfloat16)))
