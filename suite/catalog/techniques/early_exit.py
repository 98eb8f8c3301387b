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

from torch import nn

from suite.core.errors import UsageError
from suite.registry import technique
from suite.training.recipe import Recipe, Tuner
from suite.training.surgery.exits import EarlyExit, chosen_confidence
from suite.training.surgery.rebuilding import rebuilt


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
            network.threshold.fill_(chosen_confidence(network, tuner, allowed_loss))
        return network

    def deploy(network: nn.Module) -> Callable[[Any], Any]:
        for module in network.modules():
            if isinstance(module, EarlyExit):
                module.skips = True
        return recipe.deploy(network)

    def change(network: nn.Module) -> nn.Module:
        return EarlyExit(network, recipe.data().train.first(1).inputs, threshold, weight)

    return replace(recipe, model=rebuilt(recipe.model, change), finish=finish, deploy=deploy)
