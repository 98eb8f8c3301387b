"""Channels of a network that are removed for good, with all that depends on them (torch-pruning)."""

from __future__ import annotations

from typing import Any

from torch import nn

from suite.core.errors import UnavailableError
from suite.training.surgery.output_layers import output_layers
from suite.training.surgery.tied import check_tied, ties


def remove_channels(network: nn.Module, example: Any, ratio: float, *, technique: str, importance: Any = None) -> None:
    """Prune in place, the channels of the smallest weights where no ``importance`` of torch-pruning is given.

    Raises `UnavailableError` for a network whose channels cannot be followed or removed.
    """
    import torch_pruning  # a second to import

    tied = ties(network)
    before = sum(parameter.numel() for parameter in network.parameters())
    try:
        torch_pruning.pruner.BasePruner(
            network,
            example,
            importance=importance or torch_pruning.importance.GroupMagnitudeImportance(),
            pruning_ratio=ratio,
            ignored_layers=output_layers(network, example),
            forward_fn=lambda model, inputs: model(inputs),
        ).step()
        network(example)  # channels that were missed show here
    except Exception as error:
        said = f"{type(error).__name__}: {error}".splitlines()[0]
        raise UnavailableError(f"{technique}: torch-pruning cannot prune this network ({said})") from error
    check_tied(tied, network, technique)
    if ratio and sum(parameter.numel() for parameter in network.parameters()) == before:
        frozen = [name for name, one in network.named_parameters() if not one.requires_grad]
        why = f"; frozen are {', '.join(frozen[:3])}" if frozen else ""
        raise UnavailableError(f"{technique}: torch-pruning finds no channels that this network can do without{why}")
