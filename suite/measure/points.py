"""A point of a scaling curve before it is trained: the recipe, its parameters and what its training computes."""

from __future__ import annotations

from dataclasses import dataclass

from suite.measure.macs import macs
from suite.measure.size import parameters
from suite.training.loop import untrained
from suite.training.recipe import Recipe
from suite.training.surgery.axes import Axis, items_seen, total_steps

PER_MAC = 6  # floating-point operations of training: 2 forward, 4 backward


@dataclass(frozen=True, kw_only=True)
class SweepPoint:
    """``amount`` of ``axis``, in its unit, and the recipe that has it.

    ``flops`` are those of all steps: 6 for each multiply-accumulate of the network and each item seen. For N weights
    that are used once a token and D tokens this is 6 N D (Kaplan et al. 2020, https://arxiv.org/abs/2001.08361).
    ``None`` if the network has a kernel that cannot be counted.
    """

    axis: str
    unit: str
    amount: float
    recipe: Recipe
    parameters: int
    train_samples: int
    steps: int
    items_seen: int
    flops: int | None


def point(axis: Axis, recipe: Recipe, amount: float) -> SweepPoint:
    """The point of ``recipe`` at ``amount`` of ``axis``. Raises `UsageError` for an amount that there cannot be."""
    changed = axis.at(recipe, amount)
    network = untrained(changed, seed=0, device="cpu")
    counted, seen = macs(network), items_seen(changed)
    return SweepPoint(
        axis=axis.name,
        unit=axis.unit,
        amount=amount,
        recipe=changed,
        parameters=parameters(network.network),
        train_samples=len(changed.data().train),
        steps=total_steps(changed),
        items_seen=seen,
        flops=None if counted is None else PER_MAC * counted * seen,
    )
