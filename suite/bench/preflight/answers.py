"""Checks that a network's outputs depend on its own weights and inputs alone: two calls and a copy agree."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from suite.bench.preflight.moved import DRAWS, Moved, answers_by_seed, watched
from suite.core.errors import UsageError
from suite.training.trees import Tree, leaves, length, take, tree_map

APART = 1e-3  # relative distance of two answers to the same inputs: kernels differ by far less


def check_answers(network: nn.Module, again: nn.Module, inputs: Tree, device: str) -> Moved:
    """Raise `UsageError` if two calls of ``network``, or a call of its copy ``again``, have different outputs.

    For the first item alone and for all of them. Returns what a call moves without an effect on outputs.
    """
    moved = Moved()
    for count in (1, length(inputs)):
        items = _clones(take(inputs, slice(count)))  # a call that writes into them must not change the data
        given = _clones(items)
        first, moved = watched(network, items, device)
        if count == 1 and moved.generators:
            _check_draws(network, items, moved)
        if _written(given, items):
            raise UsageError(
                "it writes into its inputs, so that later calls would see other data; compute out of place (x = x - 1 "
                "instead of x -= 1, relu without inplace)"
            )
        if apart(first, network(items)) > APART:
            raise UsageError(_differ(moved))
        if apart(first, again(items)) > APART:
            raise UsageError(
                "a copy of it gives different outputs: it computes with something that is not copied (a closure, a "
                "global)"
            )
    return moved


def _clones(inputs: Tree) -> Tree:
    return tree_map(lambda leaf: leaf.clone(), inputs)


def _written(before: Tree, after: Tree) -> bool:
    """Whether a tensor holds other values than before; not-a-numbers stay equal."""
    pairs = zip(leaves(before), leaves(after), strict=True)
    return any(bool(((a != b) & ~((a != a) & (b != b))).any()) for a, b in pairs)  # noqa: PLR0124


def _check_draws(network: nn.Module, item: Tree, moved: Moved) -> None:
    """Raise `UsageError` if outputs depend on what a call draws: some networks draw and use it in training only."""
    first, *others = answers_by_seed(network, item)
    if max(apart(first, other) for other in others) > APART:
        raise UsageError(_differ(moved))


def _differ(moved: Moved) -> str:
    return f"two calls with the same inputs give different outputs in evaluation mode{moved.cause()}; {moved.advice()}"


def told_draws(moved: Moved) -> str:
    """What a run says of a network that draws random numbers without an effect that was seen."""
    return (
        f"a call in evaluation mode draws from {' and '.join(moved.generators)}, and {DRAWS} draws left its outputs as "
        "they were; draw in training only (if self.training:)"
    )


def apart(first: Tree, second: Tree) -> float:
    """Greatest relative L2 distance of two answers."""
    return max((_distance(a, b) for a, b in zip(leaves(first), leaves(second), strict=True)), default=0.0)


def _distance(first: Tensor, second: Tensor) -> float:
    if first.shape != second.shape:
        return torch.inf
    first, second = (tensor.abs() if tensor.is_complex() else tensor for tensor in (first, second))
    a, b = first.double().nan_to_num(), second.double().nan_to_num()
    return float((a - b).norm() / b.norm().clamp(min=1e-12))
