"""A mesh of two dimensions: groups of neighbouring ranks divide pairs of layers, and the groups share the batch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch.distributed as dist
from torch import nn

from suite.training.distributed.tensor_pairs import divide_pairs
from suite.training.distributed.wraps import FullyShard


@dataclass(frozen=True, kw_only=True)
class ShardedPairs:
    """Divides the pairs of a network among ``parts`` ranks, and shards all weights over the groups, in place.

    Ranks ``parts * i`` to ``parts * i + parts - 1`` are group ``i``, and take the same items of a batch.
    """

    parts: int

    def __call__(self, network: nn.Module) -> Callable[[Any], Any]:
        from torch.distributed.device_mesh import init_device_mesh

        shape = (dist.get_world_size() // self.parts, self.parts)
        mesh = init_device_mesh(next(network.parameters()).device.type, shape, mesh_dim_names=("shard", "pair"))
        return FullyShard().over(divide_pairs(network, mesh["pair"]), mesh["shard"])
