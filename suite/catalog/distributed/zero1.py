"""ZeRO stage 1: data parallelism whose ranks each hold, and update by, a part of the optimizer's state.

Rajbhandari et al. 2020, https://arxiv.org/abs/1910.02054, as torch's ZeroRedundancyOptimizer builds it: a rank updates
its part of the weights and sends it to the others. The rule, its rates and its hooks are the recipe's own.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from dataclasses import replace

import torch.distributed as dist
from torch import nn
from torch.optim import Optimizer

from suite.registry import technique
from suite.training.distributed.in_ranks import in_ranks, sharing_batches
from suite.training.distributed.requirements import needs
from suite.training.distributed.wraps import data_parallel
from suite.training.recipe import Recipe


@technique(
    slots=("launch", "prepare", "gradients", "loss", "optimizer"), family="distributed", sweep={"ranks": (2, 4)},
    needs=needs(), runs=False,
)  # fmt: skip
def zero1(recipe: Recipe, *, ranks: int = 2) -> Recipe:
    """Train on so many ranks that share the optimizer's state."""

    def optimizer(parameters: Iterable[nn.Parameter], rate: float) -> Optimizer:
        plain = recipe.optimizer(parameters, rate)
        return divided(plain) if dist.is_initialized() else plain

    shared = sharing_batches(in_ranks(recipe, "zero1", ranks, data_parallel))
    return replace(shared, optimizer=optimizer)


def divided(plain: Optimizer) -> Optimizer:
    """The same rule, with a rank's part of the state; hooks of the optimizer run on every rank."""
    from torch.distributed.optim import ZeroRedundancyOptimizer

    takes = inspect.signature(type(plain)).parameters
    settings = {name: value for name, value in plain.defaults.items() if name in takes}
    groups = [{key: group[key] for key in group if key in takes or key == "params"} for group in plain.param_groups]
    made: Optimizer = ZeroRedundancyOptimizer(groups, optimizer_class=type(plain), **settings)
    for hook in plain._optimizer_step_pre_hooks.values():  # noqa: SLF001  # such as clipped gradients
        made.register_step_pre_hook(hook)
    return made
