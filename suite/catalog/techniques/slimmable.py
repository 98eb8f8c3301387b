"""Slimmable network: one set of weights, trained at many widths, served at any of them.

Yu et al. 2019, https://arxiv.org/abs/1812.08928, trained as Yu & Huang 2019, https://arxiv.org/abs/1903.05134: a step
trains the smallest width, the largest and two random ones (the sandwich rule), the largest on labels and the others on
its outputs (in-place distillation); losses are added up. Each width has norm layers of its own, as in the first paper.
The control is the same width trained alone on as many batches. Served size and speed are the control's. Shapes stay.
"""

from __future__ import annotations

from dataclasses import replace

from torch import nn

from suite.core.errors import UsageError
from suite.registry import technique
from suite.training.recipe import Recipe, Tuner, scaled
from suite.training.surgery.slimming import Slimmable

WIDTHS = (0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1.0)


@technique(
    slots=("model", "finish"),
    family="dynamic inference",
    control="narrow(width={width})",
    sweep={"width": (0.25, 0.5, 0.75, 1.0)},
    needs=("training", "width", "class_scores"),
    quick=False,
)
def slimmable(recipe: Recipe, *, width: float = 0.5) -> Recipe:
    """Train one network at a quarter of its channels and more, by eighths, and serve it at ``width``."""
    if width not in WIDTHS:
        raise UsageError(f"slimmable: width must be one of {', '.join(map(str, WIDTHS))}, got {width}")
    served = width

    def model(width: float = 1.0) -> nn.Module:
        return Slimmable(scaled(recipe.model, width), WIDTHS, served)

    def finish(network: nn.Module, tuner: Tuner) -> nn.Module:
        network = recipe.finish(network, tuner)
        return network.extracted() if isinstance(network, Slimmable) else network

    return replace(recipe, model=model, finish=finish)
