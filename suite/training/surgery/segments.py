"""A network as consecutive segments of its operations, each of which can be computed again during backward."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from math import isqrt
from typing import Any

import torch
from torch import fx, nn
from torch.nn.modules.batchnorm import _NormBase
from torch.utils.checkpoint import checkpoint

from suite.core.errors import UnavailableError

CALLS = ("call_module", "call_function", "call_method")


class Coarse(fx.Tracer):
    """Follows the outermost forward and lists of layers alone: every other module is one operation."""

    def is_leaf_module(self, module: nn.Module, _name: str) -> bool:
        return not isinstance(module, nn.Sequential)


def checkpointed(network: nn.Module, segments: int) -> Callable[[Any], Any]:
    """``network`` keeping only what passes from segment to segment; 0: as many segments as the root of its operations.

    The weights are the network's own. The last segment keeps everything: its backward comes first. Raises
    `UnavailableError` where a network cannot be cut.
    """
    split = cut(network, segments)
    # other children hold a weight that is read without its layer: an embedding's, by a tied output layer
    *inner, _last = [name for name, child in split.named_children() if isinstance(child, fx.GraphModule)]
    for name in inner:
        setattr(split, name, Again(split.get_submodule(name)))
    split.train(network.training)
    return split


def cut(network: nn.Module, segments: int) -> fx.GraphModule:
    """``network`` as a graph of two or more segments of about equally many operations."""
    from torch.fx.passes.split_module import split_module

    try:
        graph = Coarse().trace(network)
    except Exception as error:
        said = f"{type(error).__name__}: {error}".splitlines()[0]
        raise UnavailableError(
            f"the network's operations cannot be followed to cut it into segments ({said})"
        ) from error
    calls = [node for node in graph.nodes if node.op in CALLS]
    count = min(segments or isqrt(len(calls)), len(calls))
    if count < 2:  # noqa: PLR2004  # one segment would be computed twice and save nothing
        raise UnavailableError(f"the network has {len(calls)} operations to follow, too few to cut it into segments")
    place = {node: index * count // len(calls) for index, node in enumerate(calls)}
    _check_writes(network, place)
    return split_module(fx.GraphModule(network, graph), network, lambda node: place[node])


def _check_writes(network: nn.Module, place: dict[fx.Node, int]) -> None:
    """What a segment reads must still be there when it is computed again. A ReLU may run twice over its own result."""
    for node, segment in place.items():
        written = node.args[0] if node.args else None
        if isinstance(written, fx.Node) and place.get(written) != segment and _writes(network, node):
            raise UnavailableError(f"{node.name} writes into its input, which another segment has computed")


def _writes(network: nn.Module, node: fx.Node) -> bool:
    if node.op == "call_module":
        module = network.get_submodule(str(node.target))
        return bool(getattr(module, "inplace", False)) and not isinstance(module, nn.ReLU)
    if node.op == "call_method":
        return str(node.target).endswith("_") and not str(node.target).endswith("__") and node.target != "relu_"
    return getattr(node.target, "__module__", "") == "_operator" and node.target.__name__.startswith("i")  # type: ignore[union-attr]


class Again(nn.Module):
    """A segment whose inner results are dropped and computed again, with the same random numbers, when needed."""

    def __init__(self, segment: nn.Module) -> None:
        super().__init__()
        self.segment = segment

    def forward(self, *inputs: Any) -> Any:
        return checkpoint(self.segment, *inputs, use_reentrant=False, context_fn=self._contexts)

    def _contexts(self) -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
        return nullcontext(), still_statistics(self.segment)


@contextmanager
def still_statistics(network: nn.Module) -> Iterator[None]:
    """Normalisation by the batch as in training, without a second update of the running statistics."""
    norms = [module for module in network.modules() if isinstance(module, _NormBase)]
    before = [(norm, norm.momentum, {k: v.clone() for k, v in norm.named_buffers()}) for norm in norms]
    try:
        for norm in norms:
            norm.momentum = 0.0
        yield
    finally:
        for norm, momentum, buffers in before:
            norm.momentum = momentum
            with torch.no_grad():
                for name, buffer in norm.named_buffers():
                    buffer.copy_(buffers[name])
