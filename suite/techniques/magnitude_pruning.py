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
from suite.registry import technique
from suite.training.recipe import Recipe, Tuner


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
        network = network.to(memory_format=torch.contiguous_format)  # the pruner flattens weights with view()
        weights = [(m, "weight") for m in network.modules() if isinstance(m, nn.Linear | nn.Conv2d)]
        prune.global_unstructured(weights, prune.L1Unstructured, amount=sparsity)
        tuner.train(network, epochs=epochs)
        for module, name in weights:
            prune.remove(module, name)
        return network

    return replace(recipe, finish=finish)
