"""Adam with its two moments in 8 bits: blocks of 256 values share a scale and a table of 256 levels.

Dettmers et al. 2022, https://arxiv.org/abs/2110.02861, as torchao builds it. What is held while training falls by
nearly six bytes for each weight of a tensor of 4,096 or more; smaller ones keep float32. A step takes longer: torchao
would compile its rule, anew for each value of beta, and schedules such as OneCycle change that at every step; so it
runs eagerly here. Rates, betas, decay and hooks are the recipe's own. Serving stays.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import torch
from torch import nn
from torch.optim import Adam, AdamW, Optimizer

from suite.core.errors import UnavailableError
from suite.registry import technique
from suite.training.recipe import Recipe


@technique(slots=("optimizer",), family="optimizer", needs=("torchao", "adam"), quick=False)
def adam_8bit(recipe: Recipe) -> Recipe:
    """Hold the moments of Adam or AdamW in 8 bits."""

    def optimizer(parameters: Iterable[nn.Parameter], rate: float) -> Optimizer:
        return _in_8_bits(recipe.optimizer(parameters, rate))

    return replace(recipe, optimizer=optimizer)


def _in_8_bits(plain: Optimizer) -> Optimizer:
    """Raises `UnavailableError` for any other rule than Adam's and AdamW's."""
    if type(plain) not in (Adam, AdamW):
        raise UnavailableError(f"adam_8bit: the recipe's optimizer is {type(plain).__name__}, not Adam or AdamW")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torchao's own deprecations
        from torchao import optim  # slow to import
    made: Optimizer = _eager(optim.AdamW8bit if isinstance(plain, AdamW) else optim.Adam8bit)(
        [{"params": group["params"], **_settings(group)} for group in plain.param_groups]
    )
    for hook in plain._optimizer_step_pre_hooks.values():  # noqa: SLF001  # such as clipped gradients
        made.register_step_pre_hook(hook)
    return made


def _eager(rule: type[Optimizer]) -> Any:
    class Eager(rule):  # type: ignore[misc, valid-type]  # a class of a library without types
        def step(self, closure: Any = None) -> Any:
            with torch.compiler.set_stance("force_eager"):
                return super().step(closure)

    return Eager


def _settings(group: dict[str, object]) -> dict[str, object]:
    return {name: group[name] for name in ("lr", "betas", "eps", "weight_decay", "amsgrad")}
