"""Compare a training by several ranks with that of one process, in float64; both must have done their own work.

In float32 rounding grows over the steps until it is as large as a fault (and hides it); in float64 100 steps of equal
arithmetic stay within some 1e-16 of each other, and every fault is far outside.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from suite.core.errors import TechniqueError, UsageError
from suite.training.data import Batch, Split, Splits
from suite.training.distributed.in_ranks import RankForm
from suite.training.loop import Trained, fit
from suite.training.recipe import Recipe, Trainee
from suite.training.trees import tree_map


@dataclass(frozen=True, kw_only=True)
class Layout:
    """What one rank held while it trained: evidence that several did.

    ``form`` is the class that training called, ``weights`` are the elements of weights that this rank held itself,
    ``updated`` those of them that had a gradient, ``places`` the kinds of tensors that hold weights.
    """

    rank: int
    world: int
    form: str
    weights: int
    updated: int
    places: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Parity:
    """The largest relative distance of a tensor, by its name, and the layouts of the ranks that trained."""

    distance: float
    tensor: str
    layouts: tuple[Layout, ...]


def parity(recipe: Recipe, change: Callable[[Recipe], Recipe], *, steps: int, seed: int = 0) -> Parity:
    """How far ``steps`` steps of ``change(recipe)`` end from those of ``recipe``, both in float64.

    Raises `TechniqueError` if the two trained in the same layout: then something was compared with itself.
    """
    plain = in_float64(recipe, steps)
    alone, one = _trained(plain, seed)
    together, ranks = _trained(change(plain), seed)
    check_layouts(one, ranks)
    distances = relative_distances(alone.network, together.network)
    tensor = max(distances, key=lambda name: distances[name])
    return Parity(distance=distances[tensor], tensor=tensor, layouts=ranks)


def in_float64(recipe: Recipe, steps: int) -> Recipe:
    """``recipe`` in float64, one epoch of its first ``steps`` batches; an epoch that is shorter is repeated."""
    if steps < 1:
        raise UsageError(f"a comparison needs one step or more, got steps={steps}")
    model, data, batches = recipe.model, recipe.data, recipe.batches

    def some(train: Split, generator: torch.Generator) -> Iterator[Batch]:
        return islice(_endless(batches, train, generator), steps)

    def double() -> Splits:
        found = data()
        train = _double(found.train)
        return Splits(train=train, test=train)  # nobody looks at the test part here

    return replace(
        recipe, model=lambda **axes: model(**axes).double(), data=double, batches=some,
        steps_per_epoch=lambda _items: steps, epochs=1,
    )  # fmt: skip


def _endless(batches: Any, train: Split, generator: torch.Generator) -> Iterator[Batch]:
    while True:
        yield from batches(train, generator)


def _double(part: Split) -> Split:
    def cast(leaf: Tensor) -> Tensor:
        return leaf.double() if leaf.is_floating_point() else leaf

    return Split(inputs=tree_map(cast, part.inputs), targets=tree_map(cast, part.targets), ids=part.ids)


def _trained(recipe: Recipe, seed: int) -> tuple[Trained, tuple[Layout, ...]]:
    with TemporaryDirectory(prefix="layouts-") as folder:
        seen = replace(recipe, callbacks=(*recipe.callbacks, lambda trainee: _write_layout(Path(folder), trainee)))
        trained = fit(seen, seed=seed, device="cpu", reference=_nobody, goal=None, report=None)
        files = sorted(Path(folder).glob("*.json"))
        layouts = [json.loads(file.read_text("utf-8")) for file in files]
    return trained, tuple(Layout(**{**found, "places": tuple(found["places"])}) for found in layouts)


def _nobody(composition: str) -> nn.Module:
    raise UsageError(f"a comparison has no trained network of {composition}")


def _write_layout(folder: Path, trainee: Trainee) -> None:
    """After the first step: what a rank holds does not change later."""
    found = layout_of(trainee)
    file = folder / f"{found.rank}.json"
    if not file.exists():
        file.write_text(json.dumps(found.__dict__), "utf-8")


def layout_of(trainee: Trainee) -> Layout:
    """What this process holds of the network that it trains."""
    grouped = dist.is_initialized()
    form = trainee.forward.wrapped if isinstance(trainee.forward, RankForm) else trainee.forward
    weights = list(trainee.network.parameters())
    return Layout(
        rank=dist.get_rank() if grouped else 0,
        world=dist.get_world_size() if grouped else 1,
        form=type(form).__name__,
        weights=sum(_local(weight).numel() for weight in weights),
        updated=sum(_local(weight).numel() for weight in weights if weight.grad is not None),
        places=tuple(sorted({type(weight.detach()).__name__ for weight in weights})),
    )


def _local(weight: Tensor) -> Tensor:
    part = getattr(weight, "to_local", None)
    return weight if part is None else part()


def check_layouts(one: tuple[Layout, ...], ranks: tuple[Layout, ...]) -> None:
    """Raise `TechniqueError` unless ``one`` is one process and ``ranks`` are several, all there, wrapped otherwise."""
    if [layout.world for layout in one] != [1]:
        raise TechniqueError(f"the arm of one process trained in {len(one)} processes")
    world = ranks[0].world if ranks else 0
    if world < 2 or [layout.rank for layout in ranks] != list(range(world)):  # noqa: PLR2004
        raise TechniqueError(f"the arm of several ranks trained in {len(ranks)} processes of a group of {world}")
    if any(_same(one[0], layout) for layout in ranks):
        raise TechniqueError(
            f"a rank trained {ranks[0].form} with {ranks[0].weights} weights as one process does: it is "
            "compared with itself"
        )


def _same(one: Layout, other: Layout) -> bool:
    return (one.form, one.weights, one.updated, one.places) == (other.form, other.weights, other.updated, other.places)


def relative_distances(first: nn.Module, second: nn.Module) -> dict[str, float]:
    """By name of a weight or buffer, the norm of the difference as a share of the first one's norm.

    Infinity where that is no finite number: a weight that is NaN compares with nothing, and would be overlooked.
    """
    others = dict((*second.named_parameters(), *second.named_buffers()))
    named = (*first.named_parameters(), *first.named_buffers())
    return {name: _distance(tensor.detach(), others[name].detach()) for name, tensor in named}


def _distance(first: Tensor, second: Tensor) -> float:
    size = float(first.double().norm())
    share = float((first.double() - second.double()).norm()) / (size or 1.0)
    return share if math.isfinite(share) else math.inf
