"""LAMB: Adam's step of each tensor is scaled to the length of its weights, for batches of thousands of items.

You et al. 2020, https://arxiv.org/abs/1904.00962, algorithm 2, with the identity for phi: ``rate * |w| / |u| * u`` with
``u = m / (sqrt(v) + eps) + decay * w``, both moments corrected for their start; where a length is 0 the ratio is 1.
Rate, betas, eps and decay are the recipe's Adam's or AdamW's. Quality at large batches is what it is for:
large_batch+lamb. A step takes longer; serving stays.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Adam, AdamW, Optimizer

from suite.core.errors import UnavailableError
from suite.registry import technique
from suite.training.recipe import Recipe


@technique(slots=("optimizer",), family="optimizer", needs=("adam",), runs=False)
def lamb(recipe: Recipe) -> Recipe:
    """Scale Adam's steps to the length of the weights."""

    def optimizer(parameters: Iterable[nn.Parameter], rate: float) -> Optimizer:
        plain = recipe.optimizer(parameters, rate)
        if type(plain) not in (Adam, AdamW):
            raise UnavailableError(f"lamb: the recipe's optimizer is {type(plain).__name__}, not Adam or AdamW")
        made = Lamb(plain)
        for hook in plain._optimizer_step_pre_hooks.values():  # noqa: SLF001  # such as clipped gradients
            made.register_step_pre_hook(hook)
        return made

    return replace(recipe, optimizer=optimizer)


class Lamb(Optimizer):
    """LAMB for the groups of an Adam or AdamW, by its settings."""

    def __init__(self, plain: Optimizer) -> None:
        names = ("lr", "betas", "eps", "weight_decay")
        groups = [{"params": group["params"]} | {name: group[name] for name in names} for group in plain.param_groups]
        super().__init__(groups, {name: plain.defaults[name] for name in names})

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        loss = None if closure is None else closure()
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is not None:
                    update = self._adam(weight, group)
                    weight.add_(update * (-group["lr"] * _ratio(weight, update)))
        return loss

    def _adam(self, weight: Tensor, group: dict[str, Any]) -> Tensor:
        """Adam's direction and the decay."""
        state, (first, second) = self.state[weight], group["betas"]
        if not state:
            state.update(step=0, exp_avg=torch.zeros_like(weight), exp_avg_sq=torch.zeros_like(weight))
        state["step"] += 1
        state["exp_avg"].lerp_(weight.grad, 1 - first)
        state["exp_avg_sq"].mul_(second).addcmul_(weight.grad, weight.grad, value=1 - second)
        mean = state["exp_avg"] / (1 - first ** state["step"])
        root = (state["exp_avg_sq"] / (1 - second ** state["step"])).sqrt()
        return mean / (root + group["eps"]) + group["weight_decay"] * weight  # type: ignore[no-any-return]


def _ratio(weight: Tensor, update: Tensor) -> Tensor:
    """``|w| / |u|``, on the device; 1 where one of them is 0."""
    lengths = torch.linalg.vector_norm(weight), torch.linalg.vector_norm(update)
    return torch.where((lengths[0] > 0) & (lengths[1] > 0), lengths[0] / lengths[1], 1.0)
