"""Linear layers in a row, with nothing between them but what acts on each channel, divided among ranks.

Shapes: the first layer's weight [H, I] is divided by rows, the second's [O, H] by columns; activations between them are
[..., H / ranks] on each rank.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator, Sequence
from typing import Any

import torch
import torch.distributed as dist
import torch.nn.functional as F  # noqa: N812  # torch's own convention
from torch import fx, nn

from suite.core.errors import UnavailableError

BY_CHANNEL = (nn.ReLU, nn.GELU, nn.SiLU, nn.Tanh, nn.Sigmoid, nn.Dropout, nn.Identity, nn.LeakyReLU, nn.ELU)
FUNCTIONS = (torch.relu, torch.tanh, torch.sigmoid, F.relu, F.gelu, F.silu, F.leaky_relu, F.elu, F.dropout)
METHODS = ("relu", "tanh", "sigmoid")
Pair = tuple[str, str]


class ChunkTracer(fx.Tracer):
    """Follows a module's own forward; its children are operations. Chunks of a tensor can be iterated over."""

    def is_leaf_module(self, module: nn.Module, _name: str) -> bool:
        return not isinstance(module, nn.Sequential)

    def iter(self, obj: fx.Proxy) -> Iterator[Any]:
        node = obj.node
        if node.target in ("chunk", torch.chunk) and len(node.args) > 1 and isinstance(node.args[1], int):
            return iter([operator.getitem(obj, index) for index in range(node.args[1])])
        return super().iter(obj)


class DividedPairs:
    """Divides the pairs of a network among all ranks, in place."""

    def __call__(self, network: nn.Module) -> nn.Module:
        from torch.distributed.device_mesh import init_device_mesh

        mesh = init_device_mesh(next(network.parameters()).device.type, (dist.get_world_size(),))
        return divide_pairs(network, mesh)


def divide_pairs(network: nn.Module, mesh: Any) -> nn.Module:
    """Divide the pairs of a network among the ranks of a mesh of one dimension, in place."""
    from torch.distributed.tensor.parallel import ColwiseParallel, RowwiseParallel, parallelize_module

    plan: dict[str, Any] = {}
    for first, second in pairs_of(network, mesh.size()):
        plan |= {first: ColwiseParallel(), second: RowwiseParallel()}
    return parallelize_module(network, mesh, plan)


def pairs_of(network: nn.Module, ranks: int) -> list[Pair]:
    """The names of paired layers that ``ranks`` divide. Raises `UnavailableError` if there are none."""
    divided: list[Pair] = []
    for pair in (pair for prefix, module in network.named_modules() for pair in _own_pairs(prefix, module)):
        free = not {name for other in divided for name in other}.intersection(pair)  # of three in a row the first two
        if free and network.get_submodule(pair[0]).out_features % ranks == 0:  # type: ignore[operator]
            divided.append(pair)
    if not divided:
        raise UnavailableError(
            f"the network has no two Linear layers in a row whose common channels {ranks} ranks divide, with nothing "
            "but an activation between them"
        )
    return divided


def _own_pairs(prefix: str, module: nn.Module) -> Iterator[Pair]:
    """Pairs of a module's own children."""
    for node in calls_of(module):
        if (second := next_linear(module, node)) is not None:
            yield full_name(prefix, node.target), full_name(prefix, second)


def calls_of(module: nn.Module) -> Sequence[fx.Node]:
    """The operations of a module with Linear layers; none if its forward cannot be followed."""
    if not any(isinstance(child, nn.Linear) for child in module.modules()) or isinstance(module, nn.ModuleList):
        return ()
    try:
        return tuple(ChunkTracer().trace(module).nodes)
    except Exception:  # noqa: BLE001  # what cannot be followed has no pairs that could be found
        return ()


def full_name(prefix: str, name: object) -> str:
    """The name of a module's part in the whole network."""
    return f"{prefix}.{name}".lstrip(".")


def next_linear(module: nn.Module, node: fx.Node) -> str | None:
    """The Linear layer that alone reads what the Linear layer of ``node`` answers, channel by channel."""
    if not is_call(module, node, nn.Linear):
        return None
    while len(node.users) == 1:
        node = next(iter(node.users))
        if is_call(module, node, nn.Linear):
            return str(node.target)
        if not _acts_by_channel(module, node):
            return None
    return None


def _acts_by_channel(module: nn.Module, node: fx.Node) -> bool:
    if node.op == "call_function":
        return node.target in FUNCTIONS
    return (node.op == "call_method" and node.target in METHODS) or is_call(module, node, BY_CHANNEL)


def is_call(module: nn.Module, node: fx.Node, kinds: Any) -> bool:
    """Whether the operation calls a child of one of these classes."""
    return node.op == "call_module" and isinstance(module.get_submodule(str(node.target)), kinds)
