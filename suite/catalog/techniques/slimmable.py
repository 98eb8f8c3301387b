"""Slimmable network: one set of weights, trained at four widths at once, served at any of them.

Yu et al. 2019, https://arxiv.org/abs/1812.08928: every step trains all widths on the batch, and each has norm layers of
its own. The control is the same width trained alone, as often on the same items: sharing costs accuracy and, in
training, about twice the time of the whole network; served size and speed are the control's. Shapes stay.
"""

from __future__ import annotations

from dataclasses import replace

from torch import nn

from suite.core.errors import UsageError
from suite.registry import technique
from suite.training.recipe import Recipe, Tuner, scaled
from suite.training.surgery.slimming import Slimmable

WIDTHS = (0.25, 0.5, 0.75, 1.0)


@technique(
    slots=("model", "finish"),
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
    served = width

    def model(width: float = 1.0) -> nn.Module:
        return Slimmable(scaled(recipe.model, width), WIDTHS, served)

    def finish(network: nn.Module, tuner: Tuner) -> nn.Module:
        network = recipe.finish(network, tuner)
        return network.extracted() if isinstance(network, Slimmable) else network

    return replace(recipe, model=model, finish=finish)
