"""Knowledge distillation: a narrow student learns from the trained baseline's softened outputs.

Hinton et al. 2015, https://arxiv.org/abs/1503.02531. The loss is
``weight * T^2 * KL(teacher / T || student / T) + (1 - weight) * loss on labels``; T^2 keeps the gradients' scale.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from suite.core.composition import BASELINE
from suite.core.errors import UsageError
from suite.registry import technique
from suite.training import distilling
from suite.training.recipe import Batch, Recipe, Trainee, scaled


@technique(
    slots=("model", "loss"),
    family="teacher and student",
    control="narrow(width={width})",
    sweep={"width": (0.1, 0.25)},
    needs=("training", "width", "class_scores"),
)
def distillation(recipe: Recipe, *, width: float = 0.25, temperature: float = 4.0, weight: float = 0.7) -> Recipe:
    """Train a network ``width`` as wide on the baseline's outputs at ``temperature`` and on the labels."""
    distilling.check("distillation", temperature, weight)
    if not 0 < width <= 1:
        raise UsageError(f"distillation: width must be in (0, 1], got {width}")

    def loss(trainee: Trainee, batch: Batch, output: Tensor) -> Tensor:
        with torch.no_grad():
            teacher = trainee.reference(BASELINE)(batch.inputs)
        soft = distilling.soft_loss(output, teacher, temperature, distilling.class_dim(trainee, output))
        return weight * temperature**2 * soft + (1 - weight) * recipe.loss(trainee, batch, output)

    return replace(recipe, model=scaled(recipe.model, width), loss=loss)
