"""Networks of several tasks in lockstep: every layer sees the items of all tasks, stacked, and treats each its way.

Shapes: ``T`` tasks, ``B`` items, ``[T * B, ...]`` the items once for each task. What lies between layers (activations,
poolings) treats items one by one and needs no change; the output of a task is read from its own part.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from itertools import combinations
from typing import Any, cast

import torch
from torch import Tensor, nn

from suite.core.errors import UnavailableError
from suite.training.recipe import Recipe
from suite.training.surgery.rebuilding import evaluating
from suite.training.trees import Tree, cat, tree_map

MIXES = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)
OWN_SHARE = 0.9  # of a task's own activations where a cross-stitch unit starts (Misra et al. 2016)

Wrap = Callable[[nn.Module, int], nn.Module]
"""From a layer of the trunk and T to what takes its place; inputs and outputs [T * B, ...]."""


class Lockstep(nn.Module):
    """Inputs (a tree [B, ...]), outputs a dictionary [B, ...] of the tasks, each from its own pass."""

    def __init__(self, network: nn.Module, tasks: Sequence[str]) -> None:
        super().__init__()
        self.network, self.tasks = network, tuple(tasks)

    def forward(self, x: Tree) -> dict[str, Tensor]:
        outputs = self.network(cat([x] * len(self.tasks)))
        return {task: outputs[task].chunk(len(self.tasks))[place] for place, task in enumerate(self.tasks)}


def in_lockstep(recipe: Recipe, network: nn.Module, wrap: Wrap) -> nn.Module:
    """``network`` with each layer of its trunk, which every task's output depends on, replaced by ``wrap(layer, T)``.

    The tasks are the names of the targets. Raises `UnavailableError` for a network that does not answer in a dictionary
    of them, or that has no layer with weights in its trunk.
    """
    train = recipe.data().train
    tasks = tuple(train.targets)
    trunk = _trunk(network, train.first(2).inputs, tasks)
    wrapped = {layer: wrap(layer, len(tasks)) for layer in trunk}
    for name, layer in list(network.named_modules(remove_duplicate=False)):
        if layer in wrapped:
            network.set_submodule(name, wrapped[layer])
    return Lockstep(network, tasks)


def _trunk(network: nn.Module, example: Tree, tasks: tuple[str, ...]) -> list[nn.Module]:
    """The layers with weights of their own from which a gradient comes for each task."""
    with evaluating(network):
        outputs = network(tree_map(lambda leaf: leaf.cpu(), example))
    if not isinstance(outputs, dict) or set(outputs) != set(tasks):
        raise UnavailableError(f"the network does not answer in a dictionary of its tasks {', '.join(tasks)}")
    layers = [module for module in network.modules() if list(module.parameters(recurse=False))]
    mixed = next((layer for layer in layers if list(layer.children())), None)
    if mixed is not None:
        raise UnavailableError(f"{type(mixed).__name__} has weights beside those of its layers, which cannot be split")
    reached = [_reached(outputs[task], layers) for task in tasks]
    found = [layer for layer in layers if all(layer in those for those in reached)]
    if not found:
        raise UnavailableError("the tasks share no layer with weights")
    return found


def _reached(output: Tensor, layers: list[nn.Module]) -> set[nn.Module]:
    weights = [(layer, weight) for layer in layers for weight in layer.parameters(recurse=False)]
    gradients = torch.autograd.grad(
        output.sum(), [weight for _, weight in weights], retain_graph=True, allow_unused=True
    )
    return {layer for (layer, _), gradient in zip(weights, gradients, strict=True) if gradient is not None}


class Apart(nn.Module):
    """A layer for each task: the given one, and copies with first weights of their own."""

    def __init__(self, layer: nn.Module, tasks: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList([layer, *(_anew(layer) for _ in range(1, tasks))])

    def forward(self, x: Tensor) -> Tensor:
        parts = zip(self.layers, x.chunk(len(self.layers)), strict=True)
        return torch.cat([layer(part) for layer, part in parts])


class CrossStitch(Apart):
    """A layer for each task, whose activations are then mixed by a learned matrix ``shares`` [T, T]."""

    def __init__(self, layer: nn.Module, tasks: int) -> None:
        super().__init__(layer, tasks)
        others = (1 - OWN_SHARE) / max(1, tasks - 1)
        self.shares = nn.Parameter(torch.full((tasks, tasks), others).fill_diagonal_(OWN_SHARE))

    def forward(self, x: Tensor) -> Tensor:
        own = super().forward(x)
        stacked = own.reshape(len(self.layers), -1)  # [T, B * ...]
        return (self.shares @ stacked).reshape(own.shape)


class Film(nn.Module):
    """One layer for all tasks, whose channels C each task scales and shifts: ``scale`` and ``shift`` [T, C]."""

    def __init__(self, layer: nn.Module, tasks: int) -> None:
        super().__init__()
        channels = cast("Tensor", layer.weight).shape[0]
        self.layer, self.last = layer, isinstance(layer, nn.Linear)
        self.scale, self.shift = nn.Parameter(torch.ones(tasks, channels)), nn.Parameter(torch.zeros(tasks, channels))

    def forward(self, x: Tensor) -> Tensor:
        found = self.layer(x)
        apart = found.unflatten(0, (len(self.scale), -1))  # [T, B, C, ...] or, of a Linear, [T, B, ..., C]
        shape = [1] * apart.dim()
        shape[0], shape[-1 if self.last else 2] = self.scale.shape
        return (apart * self.scale.view(shape) + self.shift.view(shape)).flatten(0, 1)  # type: ignore[no-any-return]


def squared_distance(network: nn.Module) -> Tensor:
    """The squared distance of the weights of matrices and filters, summed over all pairs of tasks and all layers.

    0 for a network whose tasks have no layers of their own.
    """
    found = torch.zeros((), device=next(network.parameters()).device)
    for module in network.modules():
        if isinstance(module, Apart) and isinstance(module.layers[0], MIXES):
            for first, second in combinations(module.layers, 2):
                found = found + (cast("Tensor", first.weight) - cast("Tensor", second.weight)).square().sum()
    return found


def only_where_it_mixes(wrap: Wrap, otherwise: Wrap) -> Wrap:
    """``wrap`` for matrices and filters, ``otherwise`` for other layers with weights (norms)."""
    return lambda layer, tasks: (wrap if isinstance(layer, MIXES) else otherwise)(layer, tasks)


def alike(layer: nn.Module, _tasks: int) -> nn.Module:
    """The layer itself, for all tasks."""
    return layer


def _anew(layer: nn.Module) -> nn.Module:
    again: Any = copy.deepcopy(layer)
    if not hasattr(again, "reset_parameters"):
        raise UnavailableError(f"{type(layer).__name__} cannot draw new weights for another task")
    again.reset_parameters()
    return again  # type: ignore[no-any-return]
