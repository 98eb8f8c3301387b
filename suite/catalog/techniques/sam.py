"""Sharpness-aware minimisation: the gradient is taken where the loss is highest nearby, and the step from here.

Foret et al. 2021, https://arxiv.org/abs/2010.01412: the weights go ``radius`` along their gradient's direction, the
gradient there is the one that the optimizer gets. Two gradients a step, so a step takes twice as long. Weights may
generalise better. Running statistics are those of the first pass. With accumulation, a batch has one direction.
Size and speed of what is served stay.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import torch
from torch import Tensor, nn

from suite.core.errors import UsageError
from suite.registry import technique
from suite.training.recipe import Backward, Batch, Recipe, Trainee


@technique(
    slots=("gradients",),
    family="training",
    sweep={"radius": (0.01, 0.05, 0.2)},
    needs=("training",),
    quick=False,
)
def sam(recipe: Recipe, *, radius: float = 0.05) -> Recipe:
    """Step along the gradient at the weights that lie ``radius`` (a Euclidean norm) uphill."""
    if radius <= 0:
        raise UsageError(f"sam: radius must be above 0, got {radius}")

    def gradients(trainee: Trainee, batch: Batch, backward: Backward) -> Tensor:
        loss = recipe.gradients(trainee, batch, backward)
        with _uphill(trainee, radius):
            recipe.gradients(trainee, batch, backward)
        return loss

    return replace(recipe, gradients=gradients)


@contextmanager
def _uphill(trainee: Trainee, radius: float) -> Iterator[None]:
    """Weights moved by ``radius`` along their gradient, which is gone then; afterwards as they were, to the bit."""
    modules = (trainee.network, *trainee.helpers.values())
    weights = [weight for module in modules for weight in module.parameters() if weight.grad is not None]
    kept = [tensor.detach().clone() for tensor in (*weights, *trainee.network.buffers())]
    _move(weights, radius)
    try:
        yield
    finally:
        with torch.no_grad():
            for tensor, before in zip((*weights, *trainee.network.buffers()), kept, strict=True):
                tensor.copy_(before)


@torch.no_grad()
def _move(weights: list[nn.Parameter], radius: float) -> None:
    directions = [weight.grad for weight in weights if weight.grad is not None]
    norm = torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(one.float()) for one in directions]))
    for weight, direction in zip(weights, directions, strict=True):
        weight.add_(direction * (radius / norm.clamp(min=torch.finfo(norm.dtype).tiny)).to(direction.dtype))
        weight.grad = None
