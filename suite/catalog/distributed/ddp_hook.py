"""Data parallelism that sends gradients compressed: in fp16, in bf16, or as products of two thin matrices (PowerSGD).

DDP communication hooks, https://docs.pytorch.org/docs/stable/ddp_comm_hooks.html; Vogels et al. 2019,
https://arxiv.org/abs/1905.13727, whose error is fed back into the next step. Weights are not those of one process.
Training ends with an error if what was sent is no smaller than the gradients.
"""

from __future__ import annotations

from dataclasses import replace

from suite.core.errors import UsageError, unknown
from suite.registry import technique
from suite.training.distributed.compressing import HOOKS, CompressedParallel, check_compression
from suite.training.distributed.in_ranks import in_ranks, sharing_batches
from suite.training.distributed.requirements import needs
from suite.training.recipe import Recipe


@technique(
    slots=("launch", "prepare", "gradients", "loss", "after_training"), family="distributed",
    sweep={"hook": tuple(HOOKS)}, needs=needs(), runs=False,
)  # fmt: skip
def ddp_hook(recipe: Recipe, *, ranks: int = 2, hook: str = "bf16", rank: int = 4) -> Recipe:
    """Send gradients in fp16, bf16, or by powersgd as matrices of ``rank`` columns."""
    if hook not in HOOKS:
        raise unknown("hook of ddp_hook", hook, HOOKS)
    if rank < 1:
        raise UsageError(f"ddp_hook: rank must be 1 or more, got {rank}")
    shared = sharing_batches(in_ranks(recipe, "ddp_hook", ranks, CompressedParallel(hook, rank)))
    return replace(shared, after_training=(*shared.after_training, check_compression))
