"""Adam with its two moments in 8 bits by one kernel, which makes no temporary tensors: bitsandbytes.

Dettmers et al. 2022, https://arxiv.org/abs/2110.02861, by its authors' own library. What is held while training falls
by nearly six bytes for each weight of a tensor of 4,096 or more; smaller ones keep float32. A step takes less time than
by eager rules. Rates, betas, decay and hooks are the recipe's own. Serving stays.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from torch import nn
from torch.optim import Optimizer

from suite.registry import technique
from suite.training import eight_bit
from suite.training.recipe import Recipe


@technique(slots=("optimizer",), family="optimizer", needs=("bitsandbytes", "adam"), quick=False, runs=False)
def adam_8bit_blockwise(recipe: Recipe) -> Recipe:
    """Hold the moments of Adam or AdamW in 8 bits, by the kernels of bitsandbytes."""

    def optimizer(parameters: Iterable[nn.Parameter], rate: float) -> Optimizer:
        return eight_bit.in_8_bits(recipe.optimizer(parameters, rate), "bitsandbytes")

    return replace(recipe, optimizer=optimizer)
