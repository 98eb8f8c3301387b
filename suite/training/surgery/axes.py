"""Axes of scaling curves: what a recipe can have more of, and the recipe that has that much.

An axis belongs to no workload: it is a function from a recipe and an amount to a recipe, and whoever declares a
workload gets all of them. Every point is a separate run with a complete schedule: halfway through a longer run the
network has not been annealed, which is another quantity (Hoffmann et al. 2022, https://arxiv.org/abs/2203.15556,
section 3.1).
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from itertools import islice

import torch

from suite.core.errors import UsageError, unknown
from suite.training.data import Batch, Split, Splits
from suite.training.loop import steps_per_epoch
from suite.training.recipe import Recipe, scaled

Batches = Callable[[Split, torch.Generator], Iterator[Batch]]


@dataclass(frozen=True, kw_only=True)
class Axis:
    """One resource: its ``name``, its ``unit``, the amount that the plain recipe has, and the most there can be.

    ``whole`` says that amounts are counts.
    """

    name: str
    unit: str
    full: float
    most: float
    whole: bool
    change: Callable[[Recipe, float], Recipe]

    def at(self, recipe: Recipe, amount: float) -> Recipe:
        """``recipe`` with ``amount`` of the resource and the same of all others. Raises `UsageError` for no amount."""
        if not math.isfinite(amount) or amount <= 0 or (self.whole and amount != int(amount)):
            kind = "a whole number" if self.whole else "a finite number"
            raise UsageError(f"{self.name}={amount!r}: must be {kind} above 0, in {self.unit}")
        if amount > self.most:
            raise UsageError(f"{self.name}={amount!r}: there are only {self.most:g} {self.unit}; ask for fewer")
        return self.change(recipe, amount)


def axes(recipe: Recipe) -> Mapping[str, Axis]:
    """The axes along which ``recipe`` can be trained, by name; ``width`` where its model takes one."""
    train = recipe.data().train
    items, steps = len(train), recipe.epochs * steps_per_epoch(recipe, train)
    found = [
        Axis(name="train_samples", unit="samples", full=items, most=items, whole=True, change=_with_samples),
        Axis(name="steps", unit="steps", full=steps, most=math.inf, whole=True, change=_with_steps),
        Axis(name="width", unit="1", full=1.0, most=math.inf, whole=False, change=_with_width),
    ]
    return {axis.name: axis for axis in found if axis.name != "width" or takes_width(recipe)}


def find(recipe: Recipe, name: str) -> Axis:
    """The axis called ``name``. Raises `UsageError` where the recipe has none of that name."""
    found = axes(recipe)
    if name not in found:
        raise unknown("axis", name, found)
    return found[name]


def takes_width(recipe: Recipe) -> bool:
    """Whether the model can be built with another ``width=``."""
    return takes(recipe, "width")


def takes(recipe: Recipe, option: str) -> bool:
    """Whether the model can be built with this option."""
    with suppress(TypeError, ValueError):  # some callables tell no signature
        parameters = inspect.signature(recipe.model).parameters
        return option in parameters or any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    return False


def watched(recipe: Recipe, looks: int) -> Recipe:
    """The same training in ``looks`` parts of equal length, after each of which the loop looks at validation data.

    Raises `UsageError` for more looks than steps, or looks that do not divide them.
    """
    steps = total_steps(recipe)
    if looks < 1 or steps % looks:
        raise UsageError(f"looks={looks!r}: must be at least 1 and divide the {steps} steps of this training")
    return _regrouped(recipe, steps, looks)


def total_steps(recipe: Recipe) -> int:
    """Optimizer steps of one training."""
    return recipe.epochs * steps_per_epoch(recipe, recipe.data().train)


def items_seen(recipe: Recipe) -> int:
    """Training items that go through the network in one training, each as often as it does; makes every batch once."""
    train, generator = recipe.data().train, torch.Generator().manual_seed(0)
    return sum(len(batch) for _ in range(recipe.epochs) for batch in recipe.batches(train, generator))


def _with_samples(recipe: Recipe, amount: float) -> Recipe:
    """A part of the training data, and as many steps as before: the batches go through it more often."""
    fewer = replace(recipe, data=cache(lambda: _fewer(recipe.data(), int(amount))))
    return _regrouped(fewer, total_steps(recipe), recipe.epochs)


def _fewer(splits: Splits, count: int) -> Splits:
    """The first ``count`` training items of one fixed order, so that fewer are always among more."""
    chosen = torch.randperm(len(splits.train), generator=torch.Generator().manual_seed(0))[:count]
    return replace(splits, train=splits.train.chosen(chosen))


def _with_steps(recipe: Recipe, amount: float) -> Recipe:
    """Epochs become shorter or longer and stay as many, or nearly: techniques fine-tune in proportion."""
    steps = int(amount)
    return _regrouped(recipe, steps, next(n for n in range(recipe.epochs, 0, -1) if steps % n == 0))


def _with_width(recipe: Recipe, amount: float) -> Recipe:
    return replace(recipe, model=scaled(recipe.model, amount))


def _regrouped(recipe: Recipe, steps: int, epochs: int) -> Recipe:
    """Training of exactly ``steps`` in so many epochs of equal length, each a stream of the recipe's own batches."""
    each = steps // epochs
    return replace(recipe, batches=_stream(recipe.batches, each), steps_per_epoch=lambda _: each, epochs=epochs)


def _stream(batches: Batches, count: int) -> Batches:
    """``count`` batches from as many passes as they need; none where a pass has none, of which the loop complains."""

    def stream(train: Split, generator: torch.Generator) -> Iterator[Batch]:
        left, before = count, count + 1
        while 0 < left < before:
            before = left
            for batch in islice(batches(train, generator), left):
                left -= 1
                yield batch

    return stream
