"""Answers requests of a batcher with a served network: test items, in batches of a few sizes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from suite.measure.arms import Arm
from suite.training.devices import synchronize
from suite.training.serving import warm_up
from suite.training.trees import fill_up, length, take


def padded(size: int, sizes: Sequence[int]) -> int:
    """The least of ``sizes`` that holds ``size`` requests: a compiler would start again for every other one."""
    return min(one for one in sizes if one >= size)


def answering(side: Arm, sizes: Sequence[int]) -> Callable[[int, int], object]:
    """Serves requests ``first`` to ``first + size``: each is a test item, counted round and round.

    Collecting a batch's inputs is part of its time. Every batch of ``sizes`` is warmed up.
    """
    served, count = side.served, length(side.served.recipe.data().test.inputs)
    pool = fill_up(served.recipe.data().test.inputs, count + max(sizes))
    for size in sizes:
        warm_up(served, served.prepare_inputs(fill_up(pool, size) if size > length(pool) else take(pool, slice(size))))

    def serve(first: int, size: int) -> None:
        start = first % count
        served(served.prepare_inputs(take(pool, slice(start, start + padded(size, sizes)))))
        synchronize(served.device)

    return serve
