"""Checks that a technique which replaces the data makes test inputs of inputs alone, and not of their labels."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from suite.core.errors import TechniqueError
from suite.measure.integrity.outputs import bits
from suite.registry import Composition
from suite.training.devices import own_random_numbers, seed_all
from suite.training.recipe import Recipe, Split, Splits
from suite.training.trees import leaves, take

PARTS = ("test", "validation")  # what scores and targets are read from


def check_data(composition: Composition, plain: Recipe) -> None:
    """Raise `TechniqueError` if test inputs of a technique with the slot ``data`` hang on their own targets.

    It is applied twice, the second time to data whose test and validation targets are in another order: the inputs have
    to be the same.
    """
    if "data" not in composition.slots:
        return
    ours, again = _inputs(composition, plain), _inputs(composition, replace(plain, data=lambda: _relabelled(plain)))
    for part in PARTS:
        if not _same(ours[part], again[part]):
            raise TechniqueError(
                f"{composition} changes the {part} inputs when their targets are put into another order: the inputs "
                "that a network is judged on must not be made from the answers; change inputs one by one, and draw "
                "random numbers from a generator with a fixed seed"
            )


def _inputs(composition: Composition, plain: Recipe) -> dict[str, list[Tensor]]:
    with own_random_numbers("cpu"):
        seed_all(0)
        splits = composition.apply(plain).data()
    parts = {part: getattr(splits, part) for part in PARTS}
    return {part: [] if found is None else leaves(found.inputs) for part, found in parts.items()}


def _relabelled(plain: Recipe) -> Splits:
    splits = plain.data()
    validation = None if splits.validation is None else _shuffled(splits.validation)
    return replace(splits, test=_shuffled(splits.test), validation=validation)


def _shuffled(part: Split) -> Split:
    order = torch.randperm(len(part), generator=torch.Generator().manual_seed(0))
    return replace(part, targets=take(part.targets, order))


def _same(first: list[Tensor], second: list[Tensor]) -> bool:
    return [(one.dtype, one.shape) for one in first] == [(one.dtype, one.shape) for one in second] and all(
        torch.equal(bits(one), bits(other)) for one, other in zip(first, second, strict=True)
    )
