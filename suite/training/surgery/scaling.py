"""Networks that are scaled to a number of multiply-accumulates, in depth, width and the sides of their images.

Models round each in steps of their own: layers and channels are whole. So the factor of one dimension is searched for
at which the count comes nearest to what is wanted, by building networks. Shapes: inputs [N, C, H, W].
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

import torch.nn.functional as F  # noqa: N812  # torch's own convention
from torch import Tensor, nn

from suite.core.errors import UnavailableError, UsageError
from suite.training.data import Split, Splits
from suite.training.devices import own_random_numbers
from suite.training.macs import macs_of
from suite.training.recipe import Recipe
from suite.training.surgery.axes import takes
from suite.training.surgery.rebuilding import evaluating

TOLERANCE = 0.1  # of the multiply-accumulates that are wanted
MOST = 64.0  # the largest factor that is tried
HALVINGS = 12  # of the interval in which a factor is searched


@dataclass(frozen=True)
class Shape:
    """Factors of a network: on its layers, on its channels and on its images' sides."""

    depth: float = 1.0
    width: float = 1.0
    resolution: float = 1.0


Cost = Callable[[Shape], int]
"""Multiply-accumulates of one item in a shape."""
Choose = Callable[[Cost, float], Shape]
"""From the count of each shape and the one that is wanted to the shape that is nearest."""


def check(technique: str, phi: float) -> None:
    """Raise `UsageError` for an exponent below 0."""
    if not phi >= 0:
        raise UsageError(f"{technique}: phi must be 0 or more, got {phi}")


def shaped(recipe: Recipe, phi: float, choose: Choose, technique: str, *, resizes: bool = False) -> Recipe:
    """``recipe`` with the network of the shape that costs ``2 ** phi`` times as much; its images, where it ``resizes``.

    The shape is chosen when data or network are first asked for. Raises `UnavailableError` then in the name of
    ``technique`` where the nearest count is more than `TOLERANCE` away.
    """
    find = cache(lambda: found(cost_of(recipe, technique), phi, choose, technique))
    data = cache(lambda: _resized_splits(recipe.data(), find().resolution)) if resizes else recipe.data

    def model(width: float = 1.0, depth: float = 1.0) -> nn.Module:
        shape = find()
        side = data().train.inputs.shape[-1]
        return _built(recipe, replace(shape, width=width * shape.width, depth=depth * shape.depth), side)

    return replace(recipe, data=data, model=model)


def alone(recipe: Recipe, phi: float, dimension: str, technique: str) -> Recipe:
    """As `shaped`, one ``dimension`` alone: ``depth``, ``width`` or ``resolution``. Raises `UsageError` as `check`."""
    check(technique, phi)

    def choose(cost: Cost, target: float) -> Shape:
        return nearest(cost, target, lambda factor: Shape(**{dimension: factor}))

    return shaped(recipe, phi, choose, technique, resizes=dimension == "resolution")


def found(cost: Cost, phi: float, choose: Choose, technique: str) -> Shape:
    """The shape that ``choose`` finds for ``2 ** phi`` times the plain count. Raises `UnavailableError`."""
    plain = cost(Shape())
    shape = choose(cost, plain * 2**phi)
    factor = cost(shape) / plain
    if abs(factor / 2**phi - 1) > TOLERANCE:
        raise UnavailableError(
            f"{technique}: this network cannot be scaled to {2**phi:.3g} times its multiply-accumulates: layers and "
            f"channels are whole, and the nearest is {factor:.3g} times; use another phi"
        )
    return shape


def nearest(cost: Cost, target: float, at: Callable[[float], Shape]) -> Shape:
    """Of the shapes ``at(factor)``, with a count that rises with the factor from 1 on, the one nearest ``target``."""
    low, high = 1.0, 2.0
    if cost(at(low)) >= target:
        return at(low)
    while cost(at(high)) < target and high < MOST:
        low, high = high, 2 * high
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if cost(at(middle)) >= target else (middle, high)
    return min(at(low), at(high), key=lambda shape: abs(cost(shape) - target))


def cost_of(recipe: Recipe, technique: str) -> Cost:
    """Counts networks of ``recipe``, on one training item, without drawing its random numbers.

    Raises `UnavailableError` for a network with operators that torch cannot count.
    """

    @cache
    def cost(shape: Shape) -> int:
        inputs = _resized(recipe.data().train.first(1).inputs, shape.resolution)
        with own_random_numbers("cpu"), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what cannot be counted
            network = _built(recipe, shape, inputs.shape[-1])
            with evaluating(network):
                counted = macs_of(network, inputs)
        if counted is None:
            raise UnavailableError(f"{technique}: the multiply-accumulates of this network cannot be counted")
        return counted

    return cost


def _built(recipe: Recipe, shape: Shape, side: int) -> nn.Module:
    """The network of a shape; it is told the images' ``side`` if its layers depend on it (``pixels=``)."""
    scales = {"width": shape.width, "depth": shape.depth}
    sides = {"pixels": side} if takes(recipe, "pixels") else {}
    return recipe.model(**{name: factor for name, factor in scales.items() if factor != 1}, **sides)


def _resized_splits(splits: Splits, factor: float) -> Splits:
    train, test = _resized_part(splits.train, factor), _resized_part(splits.test, factor)
    validation = None if splits.validation is None else _resized_part(splits.validation, factor)
    return Splits(train=train, validation=validation, test=test)


def _resized_part(part: Split, factor: float) -> Split:
    return Split(inputs=_resized(part.inputs, factor), targets=part.targets, ids=part.ids)


def _resized(images: Tensor, factor: float) -> Tensor:
    """[N, C, H, W] with sides scaled by ``factor`` and rounded, bilinear."""
    size = tuple(round(side * factor) for side in images.shape[2:])
    return F.interpolate(images, size=size, mode="bilinear", align_corners=False)
