"""Distilled fine-tuning: what was pruned or quantized is trained on with the trained baseline as its teacher.

Hinton et al. 2015, https://arxiv.org/abs/1503.02531, to make good for a compression, as Polino et al. 2018,
https://arxiv.org/abs/1802.05668, do for quantization. Put it last of what fine-tunes: masks and rounding of earlier
techniques hold. The loss is ``weight * T^2 * KL(teacher / T || student / T) + (1 - weight) * loss on labels``. Changes
quality alone; the control has as many epochs on labels, without the compression.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn

from suite.core.composition import BASELINE
from suite.core.errors import UsageError
from suite.registry import technique
from suite.training import distilling
from suite.training.recipe import Batch, Recipe, Trainee, Tuner


@technique(
    slots=("finish",),
    family="teacher and student",
    control="extra_epochs(epochs={epochs})",
    sweep={"weight": (0.3, 0.7)},
    needs=("class_scores",),
    quick=False,
)
def distilled_tuning(recipe: Recipe, *, epochs: int = 3, temperature: float = 4.0, weight: float = 0.7) -> Recipe:
    """Fine-tune for ``epochs`` on the baseline's outputs at ``temperature`` and on the labels."""
    distilling.check("distilled_tuning", temperature, weight)
    if epochs < 0:
        raise UsageError(f"distilled_tuning: epochs must be 0 or more, got {epochs}")

    def finish(network: nn.Module, tuner: Tuner) -> nn.Module:
        network = recipe.finish(network, tuner)

        def loss(trainee: Trainee, batch: Batch, output: Tensor) -> Tensor:
            with torch.no_grad():
                teacher = trainee.reference(BASELINE)(batch.inputs)
            soft = distilling.soft_loss(output, teacher, temperature, distilling.class_dim(trainee, output))
            return weight * temperature**2 * soft + (1 - weight) * tuner.recipe.loss(trainee, batch, output)

        tuner.train(network, epochs=epochs, loss=loss)
        return network

    return replace(recipe, finish=finish)
