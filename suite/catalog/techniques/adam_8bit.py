"""Adam with its two moments in 8 bits: blocks of 256 values share a scale and a table of 256 levels.

Dettmers et al. 2022, https://arxiv.org/abs/2110.02861, as torchao builds it. What is held while training falls by
nearly six bytes for each weight of a tensor of 4,096 or more; smaller ones keep float32. A step takes longer: torchao
would compile its rule, anew for each value of beta, and schedules such as OneCycle change that at every step; so it
runs eagerly here, with temporary tensors in float32. Rates, betas, decay and hooks are the recipe's own. Serving stays.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from torch import nn
from torch.optim import Optimizer

from suite.registry import technique
from suite.training import eight_bit
from suite.training.recipe import Recipe


@technique(slots=("optimizer",), family="optimizer", needs=("torchao", "adam"), quick=False)
def adam_8bit(recipe: Recipe) -> Recipe:
    """Hold the moments of Adam or AdamW in 8 bits."""

    def optimizer(parameters: Iterable[nn.Parameter], rate: float) -> Optimizer:
        return eight_bit.in_8_bits(recipe.optimizer(parameters, rate), "torchao")

    return replace(recipe, optimizer=optimizer)
