"""A network cut in two where one tensor is all that passes from the first part to the second.

Followed by torch.fx, so that networks that compute in ``forward`` are cut as lists of layers are.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import fx, nn

from suite.core.errors import UnavailableError
from suite.training.surgery.rebuilding import evaluating


def cut(network: nn.Module, example: Any, *, convolutions: int) -> tuple[nn.Module, nn.Module]:
    """The network up to the last place where ``convolutions`` of its convolutions have run, and the rest of it.

    ``rest(first(x))`` is ``network(x)``, with the same weights. Raises `UnavailableError` for a network that torch.fx
    cannot follow, and where no single tensor passes there.
    """
    try:
        traced = fx.symbolic_trace(network)
    except Exception as error:
        said = f"{type(error).__name__}: {error}".splitlines()[0]
        raise UnavailableError(f"torch.fx cannot follow this network ({said})") from error
    parts = _split(traced, _place(traced, convolutions))
    _compare(network, parts, example)
    return parts


def _place(traced: fx.GraphModule, convolutions: int) -> int:
    """Where the first part ends, as a number of nodes."""
    nodes = list(traced.graph.nodes)
    ran = [i for i, node in enumerate(nodes) if node.op == "call_module" and _is_convolution(traced, node)]
    if len(ran) <= convolutions:
        raise UnavailableError(f"the network has {len(ran)} convolutions; a cut after {convolutions} needs one more")
    places = range(ran[convolutions], ran[convolutions - 1], -1)
    found = next((place for place in places if _passing(nodes, place) == [nodes[place - 1]]), None)
    if found is None:
        raise UnavailableError(f"no single tensor passes between convolutions {convolutions} and {convolutions + 1}")
    return found


def _is_convolution(traced: fx.GraphModule, node: fx.Node) -> bool:
    return isinstance(traced.get_submodule(str(node.target)), nn.Conv2d)


def _passing(nodes: list[fx.Node], place: int) -> list[fx.Node]:
    """What nodes from ``place`` on read of those before it."""
    later = set(nodes[place:])
    return [node for node in nodes[:place] if later & set(node.users)]


def _split(traced: fx.GraphModule, place: int) -> tuple[nn.Module, nn.Module]:
    nodes = list(traced.graph.nodes)
    first, rest = fx.Graph(), fx.Graph()
    copies: dict[fx.Node, fx.Node] = {}
    for node in nodes[:place]:
        copies[node] = first.node_copy(node, copies.__getitem__)
    first.output(copies[nodes[place - 1]])
    copies[nodes[place - 1]] = rest.placeholder("hidden")
    for node in nodes[place:]:
        copies[node] = rest.node_copy(node, copies.__getitem__)
    return fx.GraphModule(traced, first), fx.GraphModule(traced, rest)


@torch.no_grad()
def _compare(network: nn.Module, parts: tuple[nn.Module, nn.Module], example: Any) -> None:
    """A trace fixes what depends on the mode, as functional dropout does: then the parts are another network."""
    first, rest = parts
    with evaluating(network), evaluating(first), evaluating(rest):
        same = torch.allclose(network(example), rest(first(example)), rtol=1e-4, atol=1e-5)
    if not same:
        raise UnavailableError("torch.fx follows this network in one mode only: serving would differ from training")
