"""An exponential moving average of the weights is kept instead of the last ones.

Polyak & Juditsky 1992, https://doi.org/10.1137/0330046; for networks Morales-Brotons et al. 2024,
https://arxiv.org/abs/2411.18704. Floating-point buffers (running statistics) are averaged, integer ones (counters) are
copied. May help if the learning rate ends high; costs a copy of the weights and a little time while training. The
served network has the same size and speed. The average begins at the first step's weights and warms up: after t steps
it weighs the past by at most (1 + t) / (10 + t).
"""

from __future__ import annotations

from dataclasses import replace

import torch

from suite.core.errors import UsageError
from suite.registry import technique
from suite.training.recipe import Recipe, Trainee

KEY = "averaged weights"


@technique(
    slots=("callbacks", "after_training"),
    family="training",
    sweep={"decay": (0.9, 0.99, 0.999)},
    needs=("training",),
    conflicts=("early_stopping",),  # which keeps other weights
    quick=False,
)
def ema(recipe: Recipe, *, decay: float = 0.99) -> Recipe:
    """Keep the weights' average, of which ``decay`` stays at every step."""
    if not 0 <= decay < 1:
        raise UsageError(f"ema: decay must be in [0, 1), got {decay}")

    def average(trainee: Trainee) -> None:
        if KEY not in trainee.kept:
            trainee.kept[KEY] = {name: value.clone() for name, value in trainee.network.state_dict().items()}
        averages = trainee.kept[KEY]
        share = 1 - min(decay, (1 + trainee.steps) / (10 + trainee.steps))
        with torch.no_grad():
            for name, value in trainee.network.state_dict().items():
                averages[name].lerp_(value, share) if value.is_floating_point() else averages[name].copy_(value)

    def keep(trainee: Trainee) -> None:
        if KEY in trainee.kept:
            trainee.network.load_state_dict(trainee.kept[KEY])

    return replace(recipe, callbacks=(*recipe.callbacks, average), after_training=(*recipe.after_training, keep))
