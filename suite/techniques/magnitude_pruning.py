"""Magnitude pruning: zero the smallest weights of every matrix and filter, then fine-tune.

Han et al. 2015, https://arxiv.org/abs/1506.02626. One threshold for the whole network; masks hold while fine-tuning.
Dense kernels multiply zeros as before: this saves entropy-coded bytes, not time.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn

from suite.errors import UnavailableError, UsageError
from suite.registry import technique
from suite.training.recipe import Recipe, Tuner

MATRIX = 2  # dimensions of the least weight that is pruned: biases and scales are few and matter


@technique(
    slots=("finish",),
    control="extra_epochs(epochs={epochs})",
    sweep={"sparsity": (0.5, 0.8, 0.9, 0.95)},
)
def magnitude_pruning(recipe: Recipe, *, sparsity: float = 0.8, epochs: int = 3) -> Recipe:
    """Zero a share ``sparsity`` of all prunable weights, smallest magnitude first, globally."""
    if not 0 <= sparsity < 1:
        raise UsageError(f"magnitude_pruning: sparsity must be in [0, 1), got {sparsity}")
    if epochs < 0:
        raise UsageError(f"magnitude_pruning: epochs must be 0 or more, got {epochs}")

    def finish(network: nn.Module, tuner: Tuner) -> nn.Module:
        network = recipe.finish(network, tuner)  # earlier techniques first: composition order
        masks = _masks(network, sparsity)
        _apply(masks)
        tuner.train(network, epochs=epochs, after_step=lambda _: _apply(masks))
        return network

    return replace(recipe, finish=finish)


@torch.no_grad()
def _masks(network: nn.Module, sparsity: float) -> dict[nn.Parameter, Tensor]:
    """For each prunable weight a mask that is 0 where its magnitude is among the smallest share of all weights.

    Weights are masked as tensors, not through their layers: attention reads its own without calling them.
    """
    weights = _prunable(network)
    if not weights:
        raise UnavailableError("magnitude_pruning: the network has no weight of two or more dimensions to prune")
    magnitudes = torch.cat([weight.abs().flatten() for weight in weights])
    least = magnitudes.argsort(stable=True)[: round(sparsity * len(magnitudes))]
    keep = torch.ones_like(magnitudes)
    keep[least] = 0
    parts = keep.split([weight.numel() for weight in weights])
    return {weight: part.view(weight.shape) for weight, part in zip(weights, parts, strict=True)}


def _prunable(network: nn.Module) -> list[nn.Parameter]:
    """Weights of two or more dimensions (matrices and filters), but for embeddings; one that is shared counts once."""
    tables = {id(module.weight) for module in network.modules() if isinstance(module, nn.Embedding)}
    return [p for p in network.parameters() if p.dim() >= MATRIX and p.requires_grad and id(p) not in tables]


@torch.no_grad()
def _apply(masks: dict[nn.Parameter, Tensor]) -> None:
    for weight, mask in masks.items():
        weight.mul_(mask)
