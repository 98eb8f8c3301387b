"""Checks that a network's outputs depend on its own weights and inputs alone: two calls and a copy agree."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from suite.core.errors import UsageError
from suite.measure.artefacts import Held
from suite.training.copying import copied, storages
from suite.training.forms import spread
from suite.training.surgery.adapted import called
from suite.training.trees import Tree, leaves

APART = 1e-3  # relative distance of two answers to the same inputs: kernels differ by far less


def check_own_weights(network: nn.Module, inputs: Tree) -> None:
    """Raise `UsageError` if a copy of ``network``, as the user's model built it, reads the original's weights."""
    again = copied(network)
    with Held(inputs) as watching:
        called(again, inputs, spread(again.forward, inputs))
    weights = storages(network)
    names = [weights[address] for address in watching.found if address in weights]
    if names:
        which = f"{names[0]} and {len(names) - 1} more" if len(names) > 1 else names[0]
        raise UsageError(
            f"a copy of it computes with the original's weights ({which}){_replaced(network)}: techniques would change "
            "weights that are not used; define forward in the class, and remove hooks first (accelerate: "
            "remove_hook_from_module)"
        )


def _replaced(network: nn.Module) -> str:
    """The place at which ``forward`` was set on an instance, if it was."""
    for name, module in network.named_modules():
        forward = vars(module).get("forward")
        if forward is not None:
            code = getattr(forward, "__code__", None)
            place = f" at {code.co_filename}:{code.co_firstlineno}" if code is not None else ""
            return f", since forward of {name or 'the network'} was replaced on the instance{place}"
    return ""


def check_answers(network: nn.Module, again: nn.Module, inputs: Tree) -> None:
    """Raise `UsageError` if two calls of ``network``, or a call of its copy ``again``, have different outputs."""
    first = network(inputs)
    if _apart(first, network(inputs)) > APART:
        raise UsageError(
            "two calls with the same inputs give different outputs in evaluation mode; turn dropout and noise off "
            "there (functional.dropout needs training=self.training)"
        )
    if _apart(first, again(inputs)) > APART:
        raise UsageError(
            "a copy of it gives different outputs: it computes with something that is not copied (a closure, a global)"
        )


def _apart(first: Tree, second: Tree) -> float:
    """Greatest relative L2 distance of two answers."""
    return max((_distance(a, b) for a, b in zip(leaves(first), leaves(second), strict=True)), default=0.0)


def _distance(first: Tensor, second: Tensor) -> float:
    if first.shape != second.shape:
        return torch.inf
    first, second = (tensor.abs() if tensor.is_complex() else tensor for tensor in (first, second))
    a, b = first.double().nan_to_num(), second.double().nan_to_num()
    return float((a - b).norm() / b.norm().clamp(min=1e-12))
