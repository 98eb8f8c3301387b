"""Data parallelism with accumulation: a rank takes its share in parts, and gradients are reduced after the last one.

``no_sync`` of DistributedDataParallel, Li et al. 2020, https://arxiv.org/abs/2006.15704, section 3.2.4. A step holds
the activations of one part, and communicates as often as without parts.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor
from torch.nn.parallel import DistributedDataParallel

from suite.core.errors import UsageError
from suite.registry import technique
from suite.training.distributed.in_ranks import WEIGHT, RankForm, in_ranks, sharing_batches
from suite.training.distributed.requirements import needs
from suite.training.distributed.wraps import data_parallel
from suite.training.loop import parts_of
from suite.training.recipe import Backward, Batch, Recipe, Trainee


@technique(
    slots=("launch", "prepare", "gradients", "loss"), family="distributed", sweep={"steps": (2, 4)}, needs=needs(),
    conflicts=("accumulation",), runs=False,
)  # fmt: skip
def ddp_accumulation(recipe: Recipe, *, ranks: int = 2, steps: int = 2) -> Recipe:
    """Train on so many ranks, each of which takes its share in ``steps`` parts."""
    if steps < 1:
        raise UsageError(f"ddp_accumulation: steps must be 1 or more, got {steps}")

    def in_parts(trainee: Trainee, batch: Batch, backward: Backward) -> Tensor:
        parts, weight = list(parts_of(batch, steps)), trainee.kept.get(WEIGHT, 1.0)
        losses = []
        for part in parts:
            trainee.kept[WEIGHT] = weight * len(part) / len(batch)
            with nullcontext() if part is parts[-1] else _unreduced(trainee):
                losses.append(recipe.gradients(trainee, part, backward))
        return torch.stack(losses).sum()

    return sharing_batches(in_ranks(recipe, "ddp_accumulation", ranks, data_parallel), in_parts)


def _unreduced(trainee: Trainee) -> AbstractContextManager[None]:
    """While it lasts, gradients stay in the rank."""
    form = trainee.forward.wrapped if isinstance(trainee.forward, RankForm) else None
    return form.no_sync() if isinstance(form, DistributedDataParallel) else nullcontext()
