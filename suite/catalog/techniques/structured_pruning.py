"""Structured pruning: remove the channels with the smallest weights for good, then fine-tune.

Li et al. 2017, https://arxiv.org/abs/1608.08710; dependencies between layers by Fang et al. 2023 (torch-pruning),
https://arxiv.org/abs/2301.12900. The network that is left is small and dense, so every engine runs it faster.
"""

from __future__ import annotations

from dataclasses import replace

from torch import nn

from suite.core.errors import UsageError
from suite.registry import technique
from suite.training.recipe import Recipe, Tuner
from suite.training.surgery.channels import remove_channels


@technique(
    slots=("finish",),
    family="pruning",
    control="extra_epochs(epochs={epochs})",
    sweep={"ratio": (0.3, 0.5, 0.7)},
    needs=("torch_pruning",),
)
def structured_pruning(recipe: Recipe, *, ratio: float = 0.5, epochs: int = 5) -> Recipe:
    """Remove a share ``ratio`` of the channels of every layer but the last."""
    if not 0 <= ratio < 1:
        raise UsageError(f"structured_pruning: ratio must be in [0, 1), got {ratio}")
    if epochs < 0:
        raise UsageError(f"structured_pruning: epochs must be 0 or more, got {epochs}")

    def finish(network: nn.Module, tuner: Tuner) -> nn.Module:
        network = recipe.finish(network, tuner)
        remove_channels(network, tuner.example, ratio, technique="structured_pruning")
        tuner.train(network, epochs=epochs)
        return network

    return replace(recipe, finish=finish)
