"""Forms of a network that ranks train: DistributedDataParallel, and torch's ``fully_shard``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, cast

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel


def data_parallel(network: nn.Module) -> DistributedDataParallel:
    """``network`` whose backward averages gradients over the ranks; buffers are rank 0's at each forward."""
    return DistributedDataParallel(network)


@dataclass(frozen=True, kw_only=True)
class FullyShard:
    """Shards ``network`` in place over all ranks, or over groups of ``parts`` ranks that divide the batch further.

    Weights are gathered, and computed in, the type ``computes_in`` if it is given; gradients are reduced in float32.
    """

    parts: int | None = None
    computes_in: torch.dtype | None = None

    def __call__(self, network: nn.Module) -> Callable[[Any], Any]:
        from torch.distributed.fsdp import MixedPrecisionPolicy, fully_shard

        policy = MixedPrecisionPolicy()
        if self.computes_in is not None:
            policy = MixedPrecisionPolicy(param_dtype=self.computes_in, reduce_dtype=torch.float32)
        mesh = self._mesh(next(network.parameters()).device.type)
        for layer in repeated(network):
            fully_shard(layer, mesh=mesh, mp_policy=policy)
        form: Any = fully_shard(network, mesh=mesh, mp_policy=policy)
        return cast("Callable[[Any], Any]", form)

    def _mesh(self, device: str) -> Any:
        from torch.distributed.device_mesh import init_device_mesh

        world = dist.get_world_size()
        shape = (world,) if self.parts is None else (world // self.parts, self.parts)
        names = ("shard",) if self.parts is None else ("replicate", "shard")
        return init_device_mesh(device, shape, mesh_dim_names=names)


def repeated(network: nn.Module) -> Iterator[nn.Module]:
    """The members of lists of layers that have layers of their own: gathered one after the other, not all at once."""
    for holder in network.modules():
        if isinstance(holder, nn.Sequential | nn.ModuleList):
            yield from (
                layer for layer in holder.children() if any(True for _ in layer.children()) and _has_weights(layer)
            )


def _has_weights(layer: nn.Module) -> bool:
    return any(True for _ in layer.parameters())
