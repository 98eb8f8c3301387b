"""Early exit: a small head after the first stage answers what it is sure of; the rest of the batch goes on.

BranchyNet, Teerapittayanon et al. 2016, https://arxiv.org/abs/1709.01686, by the largest probability, not the entropy.
Both heads are trained jointly from the first step. ``threshold`` is said in advance: nothing is chosen on test data.
Scores are those of the mixed answers. One head more, so more bytes; multiply-accumulates are the most an item takes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from suite.core.errors import UsageError
from suite.registry import technique
from suite.training.recipe import Recipe
from suite.training.surgery.cutting import cut
from suite.training.surgery.rebuilding import Several, evaluating, rebuilt


@technique(
    slots=("model", "deploy"),
    family="dynamic inference",
    sweep={"threshold": (0.5, 0.6, 0.7, 0.8, 0.9)},
    needs=("training", "classes", "images"),
    conflicts=("compiled", "static_int8"),  # how far an item goes depends on its values: there is no one graph
    quick=False,
)
def early_exit(recipe: Recipe, *, threshold: float = 0.8, weight: float = 1.0) -> Recipe:
    """Let items leave after the first stage whose largest probability there is at least ``threshold``."""
    if not 0 <= threshold <= 1:
        raise UsageError(f"early_exit: threshold must be in [0, 1], got {threshold}")
    if weight <= 0:
        raise UsageError(f"early_exit: weight, of the exit's loss, must be above 0, got {weight}")

    def deploy(network: nn.Module) -> Callable[[Any], Any]:
        for module in network.modules():
            if isinstance(module, EarlyExit):
                module.skips = True
        return recipe.deploy(network)

    def change(network: nn.Module) -> nn.Module:
        return EarlyExit(network, recipe.data().train.first(1).inputs, threshold, weight)

    return replace(recipe, model=rebuilt(recipe.model, change), deploy=deploy)


class EarlyExit(nn.Module):
    """Inputs [B, C, H, W], class scores [B, K]. Items that have left are computed further unless it ``skips`` them."""

    def __init__(self, network: nn.Module, example: Tensor, threshold: float, weight: float) -> None:
        super().__init__()
        self.threshold, self.weight, self.skips = threshold, weight, False
        self.stage, self.rest = cut(network, example, convolutions=1)
        with torch.no_grad(), evaluating(self):
            hidden = self.stage(example)
            self.exit = nn.Sequential(nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.LazyLinear(self.rest(hidden).shape[1]))
            self.exit(hidden)  # now it knows its size

    def forward(self, x: Tensor) -> Any:
        hidden = self.stage(x)
        early = self.exit(hidden)
        if self.training:
            return Several((self.rest(hidden), early), (1.0, self.weight))
        stays = early.softmax(1).amax(1) < self.threshold
        if not self.skips:
            return torch.where(stays[:, None], self.rest(hidden), early)
        return early.index_put((stays,), self.rest(hidden[stays])) if stays.any() else early
