"""Normalisations in front of paired Linear layers, computed by each rank for its part of the sequence.

Shapes: inputs of the normalisation [B, T, C] are whole on each rank; it answers [B, T / ranks, C]. The pair's first
layer gathers the sequence and goes on with [B, T, H / ranks], as in `suite.training.distributed.tensor_pairs`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch.distributed as dist
from torch import Tensor, nn

from suite.core.errors import UnavailableError
from suite.training.distributed.tensor_pairs import Pair, calls_of, full_name, is_call, next_linear, pairs_of

NORMALISATIONS = (nn.LayerNorm, nn.RMSNorm)
SEQUENCE = 1  # the dimension that is divided
DIMENSIONS = 3  # items, sequence, channels


class DividedNorms:
    """Divides a network's pairs among all ranks, and the sequence of the normalisations before them, in place."""

    def __call__(self, network: nn.Module) -> nn.Module:
        from torch.distributed.device_mesh import init_device_mesh
        from torch.distributed.tensor import Shard
        from torch.distributed.tensor.parallel import (
            ColwiseParallel,
            RowwiseParallel,
            SequenceParallel,
            parallelize_module,
        )

        mesh = init_device_mesh(next(network.parameters()).device.type, (dist.get_world_size(),))
        plan: dict[str, Any] = {}
        for norm, (first, second) in normed_pairs(network, mesh.size()):
            _divide_inputs(network.get_submodule(norm), norm, mesh)
            plan |= {norm: SequenceParallel(sequence_dim=SEQUENCE), second: RowwiseParallel()}
            plan[first] = ColwiseParallel(input_layouts=Shard(SEQUENCE))
        return parallelize_module(network, mesh, plan)


def _divide_inputs(norm: nn.Module, name: str, mesh: Any) -> None:
    """Let the normalisation see a rank's part of the sequence alone."""
    from torch.distributed.tensor import Replicate, Shard
    from torch.distributed.tensor.parallel import PrepareModuleInput, parallelize_module

    def check(_module: nn.Module, given: tuple[Tensor, ...]) -> None:
        if given[0].dim() != DIMENSIONS:
            raise UnavailableError(
                f"{name} normalises inputs of shape {tuple(given[0].shape)}: they have no sequence to divide, which "
                "takes [items, sequence, channels]"
            )

    norm.register_forward_pre_hook(check)
    whole, parts = (Replicate(),), (Shard(SEQUENCE),)
    parallelize_module(norm, mesh, PrepareModuleInput(input_layouts=whole, desired_input_layouts=parts))


def normed_pairs(network: nn.Module, ranks: int) -> list[tuple[str, Pair]]:
    """The names of normalisations and of the pairs that alone read them, which ``ranks`` divide.

    Raises `UnavailableError` if there are none.
    """
    divided = set(pairs_of(network, ranks))
    own = (found for prefix, module in network.named_modules() for found in _own(prefix, module))
    if not (chosen := [found for found in dict.fromkeys(own) if found[1] in divided]):
        raise UnavailableError(
            "the network has no LayerNorm or RMSNorm whose outputs are read by two Linear layers in a row alone"
        )
    return chosen


def _own(prefix: str, module: nn.Module) -> Iterator[tuple[str, Pair]]:
    """Those among a module's own children."""
    for node in calls_of(module):
        if is_call(module, node, NORMALISATIONS) and len(node.users) == 1:
            first = next(iter(node.users))
            if (second := next_linear(module, first)) is not None:
                pair = full_name(prefix, first.target), full_name(prefix, second)
                yield full_name(prefix, node.target), pair
