"""Magnitude pruning: zero the smallest weights of every Linear and Conv2d, then fine-tune.

Han et al. 2015, https://arxiv.org/abs/1506.02626. One threshold for the whole network; masks hold while fine-tuning.
Dense kernels multiply zeros as before: this saves entropy-coded bytes, not time.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import nn
from torch.nn.utils import prune

from suite.errors import UsageError
from suite.records import Recipe
from suite.registry import technique
from suite.train import Tuner


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
        weights = [(m, "weight") for m in network.modules() if isinstance(m, nn.Linear | nn.Conv2d)]
        prune.global_unstructured(weights, prune.L1Unstructured, amount=sparsity)
        tuner.train(network, epochs=epochs)
        for module, name in weights:
            _make_permanent(module, name)
        return network

    return replace(recipe, finish=finish)


def _make_permanent(module: nn.Module, name: str) -> None:
    """Write the mask into the weights, keeping their memory layout."""
    layout = torch.channels_last if _is_channels_last(getattr(module, f"{name}_orig")) else torch.contiguous_format
    prune.remove(module, name)
    weight = getattr(module, name)
    weight.data = weight.data.contiguous(memory_format=layout)


def _is_channels_last(weight: torch.Tensor) -> bool:
    return weight.dim() == 4 and weight.is_contiguous(memory_format=torch.channels_last)  # noqa: PLR2004  # O, I, H, W
