"""Slimmable network: one set of weights, trained at four widths at once, served at any of them.

Yu et al. 2019, https://arxiv.org/abs/1812.08928: every step trains all widths on the batch, and each has norm layers of
its own. The control is the same width trained alone, as often on the same items: sharing costs accuracy and, in
training, about twice the time of the whole network; served size and speed are the control's. Shapes stay.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from suite.core.errors import UsageError
from suite.registry import technique
from suite.training.recipe import Batch, Recipe, Trainee, Tuner
from suite.training.surgery.rebuilding import Several
from suite.training.surgery.slimming import Slimmable

WIDTHS = (0.25, 0.5, 0.75, 1.0)


@technique(
    slots=("model", "loss", "finish"),
    family="dynamic inference",
    control="narrow(width={width})",
    sweep={"width": WIDTHS},
    needs=("training", "width"),
    quick=False,
)
def slimmable(recipe: Recipe, *, width: float = 0.5) -> Recipe:
    """Train one network at a quarter, half, three quarters and all of its channels, and serve it at ``width``."""
    if width not in WIDTHS:
        raise UsageError(f"slimmable: width must be one of {', '.join(map(str, WIDTHS))}, got {width}")

    def model() -> nn.Module:
        return Slimmable(recipe.model, WIDTHS, width)

    def loss(trainee: Trainee, batch: Batch, output: Any) -> Tensor:
        if not isinstance(output, Several):
            return recipe.loss(trainee, batch, output)
        return torch.stack([recipe.loss(trainee, batch, found) for found in output]).mean()

    def finish(network: nn.Module, tuner: Tuner) -> nn.Module:
        network = recipe.finish(network, tuner)
        return network.extracted() if isinstance(network, Slimmable) else network

    return replace(recipe, model=model, loss=loss, finish=finish)
