"""Structured pruning: remove the channels with the smallest weights for good, then fine-tune.

Li et al. 2017, https://arxiv.org/abs/1608.08710; dependencies between layers by Fang et al. 2023 (torch-pruning),
https://arxiv.org/abs/2301.12900. The network that is left is small and dense, so every engine runs it faster.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from torch import nn

from suite.core.errors import UnavailableError, UsageError
from suite.registry import technique
from suite.training.recipe import Recipe, Tuner
from suite.training.surgery.output_layers import output_layers
from suite.training.surgery.tied import check_tied, ties


@technique(
    slots=("finish",),
    family="pruning",
    control="extra_epochs(epochs={epochs})",
    sweep={"ratio": (0.3, 0.5, 0.7)},
    needs=("torch_pruning",),
)
def structured_pruning(recipe: Recipe, *, ratio: float = 0.5, epochs: int = 5) -> Recipe:
    """Remove a share ``ratio`` of the channels of every layer but the last."""
    if not 0 <= ratio < 1:
        raise UsageError(f"structured_pruning: ratio must be in [0, 1), got {ratio}")
    if epochs < 0:
        raise UsageError(f"structured_pruning: epochs must be 0 or more, got {epochs}")

    def finish(network: nn.Module, tuner: Tuner) -> nn.Module:
        network = recipe.finish(network, tuner)
        _remove_channels(network, tuner.example, ratio)
        tuner.train(network, epochs=epochs)
        return network

    return replace(recipe, finish=finish)


def _remove_channels(network: nn.Module, example: Any, ratio: float) -> None:
    """Prune in place. Raises `UnavailableError` for a network whose channels cannot be followed or removed."""
    import torch_pruning  # a second to import

    tied = ties(network)
    before = sum(parameter.numel() for parameter in network.parameters())
    try:
        torch_pruning.pruner.BasePruner(
            network,
            example,
            importance=torch_pruning.importance.GroupMagnitudeImportance(),
            pruning_ratio=ratio,
            ignored_layers=output_layers(network, example),
            forward_fn=lambda model, inputs: model(inputs),
        ).step()
        network(example)  # channels that were missed show here
    except Exception as error:
        said = f"{type(error).__name__}: {error}".splitlines()[0]
        raise UnavailableError(f"structured_pruning: torch-pruning cannot prune this network ({said})") from error
    check_tied(tied, network, "structured_pruning")
    if ratio and sum(parameter.numel() for parameter in network.parameters()) == before:
        frozen = [name for name, one in network.named_parameters() if not one.requires_grad]
        why = f"; frozen are {', '.join(frozen[:3])}" if frozen else ""
        raise UnavailableError(
            f"structured_pruning: torch-pruning finds no channels that this network can do without{why}"
        )
