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
    With ``offloads`` parts, their gradients and the optimizer's state stay in the host's memory.
    """

    parts: int | None = None
    computes_in: torch.dtype | None = None
    offloads: bool = False

    def __call__(self, network: nn.Module) -> Callable[[Any], Any]:
        return self.over(network, self._mesh(next(network.parameters()).device.type))

    def over(self, network: nn.Module, mesh: Any) -> Callable[[Any], Any]:
        """Shard ``network`` over the ranks of ``mesh``."""
        from torch.distributed.fsdp import fully_shard

        policies = self._policies()
        for layer in repeated(network):
            fully_shard(layer, mesh=mesh, **policies)
        form: Any = fully_shard(network, mesh=mesh, **policies)
        return cast("Callable[[Any], Any]", form)

    def _policies(self) -> dict[str, Any]:
        from torch.distributed.fsdp import CPUOffloadPolicy, MixedPrecisionPolicy

        precision = MixedPrecisionPolicy()
        if self.computes_in is not None:
            precision = MixedPrecisionPolicy(param_dtype=self.computes_in, reduce_dtype=torch.float32)
        offload = {"offload_policy": CPUOffloadPolicy(pin_memory=False)} if self.offloads else {}
        return {"mp_policy": precision, **offload}

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
