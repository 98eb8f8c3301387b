"""Early exit: a small head after the first stage answers what it is sure of; the rest of the batch goes on.

BranchyNet, Teerapittayanon et al. 2016, https://arxiv.org/abs/1709.01686, by the largest probability, not the entropy.
Both heads are trained jointly from the first step. After training the confidence from which on items leave is chosen
on validation data: the lowest at which the mix is right for at most ``allowed_loss`` of items less than the last head
alone. What trains later moves it no more. Scores are those of the mixed answers. One head more, so more bytes;
``macs`` are the most an item takes, ``mean_macs`` and ``exit_rate`` say what test items take.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from suite.core.errors import UnavailableError, UsageError
from suite.registry import technique
from suite.training.devices import place
from suite.training.recipe import Recipe, Tuner
from suite.training.surgery.cutting import cut
from suite.training.surgery.exits import NEVER, least_confidence
from suite.training.surgery.rebuilding import Several, evaluating, rebuilt
from suite.training.trees import split, to

VALIDATION_BATCH = 256


@technique(
    slots=("model", "finish", "deploy"),
    family="dynamic inference",
    sweep={"allowed_loss": (0.0, 0.005, 0.01, 0.02)},
    needs=("training", "classes", "images"),
    conflicts=("compiled", "static_int8"),  # how far an item goes depends on its values: there is no one graph
    quick=False,
)
def early_exit(recipe: Recipe, *, allowed_loss: float = 0.005, threshold: float = 0.0, weight: float = 1.0) -> Recipe:
    """Let items leave after the first stage that are sure there: from ``threshold`` on, for 0 chosen on validation."""
    for name, value in (("allowed_loss", allowed_loss), ("threshold", threshold)):
        if not 0 <= value <= 1:
            raise UsageError(f"early_exit: {name} must be in [0, 1], got {value}")
    if weight <= 0:
        raise UsageError(f"early_exit: weight, of the exit's loss, must be above 0, got {weight}")

    def finish(network: nn.Module, tuner: Tuner) -> nn.Module:
        network = recipe.finish(network, tuner)
        if threshold == 0 and isinstance(network, EarlyExit):
            network.threshold.fill_(_chosen(network, tuner, allowed_loss))
        return network

    def deploy(network: nn.Module) -> Callable[[Any], Any]:
        for module in network.modules():
            if isinstance(module, EarlyExit):
                module.skips = True
        return recipe.deploy(network)

    def change(network: nn.Module) -> nn.Module:
        return EarlyExit(network, recipe.data().train.first(1).inputs, threshold, weight)

    return replace(recipe, model=rebuilt(recipe.model, change), finish=finish, deploy=deploy)


@torch.no_grad()
def _chosen(network: EarlyExit, tuner: Tuner, allowed_loss: float) -> float:
    """The least confidence by both heads' answers to the validation items."""
    validation = tuner.splits.validation
    if validation is None:
        raise UnavailableError("early_exit: the data have no validation split to choose on; say threshold= in advance")
    with evaluating(network):
        parts = [
            network.heads(place(to(inputs, tuner.device), tuner.recipe.layout))
            for inputs in split(validation.inputs, VALIDATION_BATCH)
        ]
    early, late = (torch.cat(scores).float().cpu() for scores in zip(*parts, strict=True))
    return least_confidence(early, late, validation.targets.cpu(), allowed_loss)


class EarlyExit(nn.Module):
    """Inputs [B, C, H, W], class scores [B, K]. Items that have left are computed further unless it ``skips`` them.

    ``threshold`` is a buffer: it ships with the weights.
    """

    threshold: Tensor

    def __init__(self, network: nn.Module, example: Tensor, threshold: float, weight: float) -> None:
        super().__init__()
        self.weight, self.skips = weight, False
        self.register_buffer("threshold", torch.tensor(threshold or NEVER))
        self.stage, self.rest = cut(network, example, convolutions=1)
        with torch.no_grad(), evaluating(self):
            hidden = self.stage(example)
            self.exit = nn.Sequential(nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.LazyLinear(self.rest(hidden).shape[1]))
            self.exit(hidden)  # now it knows its size

    @property
    def branch(self) -> nn.Module:
        """What an item that leaves early goes through."""
        return nn.Sequential(self.stage, self.exit)

    def heads(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Class scores [B, K] of the exit and of the last layer, of all items."""
        hidden = self.stage(x)
        return self.exit(hidden), self.rest(hidden)

    def leaving(self, inputs: Tensor) -> Tensor:
        """Which items [B] leave early."""
        return self._is_sure(self.branch(inputs))

    def forward(self, x: Tensor) -> Any:
        if self.training:
            early, late = self.heads(x)
            return Several((late, early), (1.0, self.weight))
        hidden = self.stage(x)
        early = self.exit(hidden)
        stays = ~self._is_sure(early)
        if not self.skips:
            return torch.where(stays[:, None], self.rest(hidden), early)
        return early.index_put((stays,), self.rest(hidden[stays])) if stays.any() else early

    def _is_sure(self, early: Tensor) -> Tensor:
        return early.softmax(1).amax(1) >= self.threshold
