"""Latency against throughput: a cell and the baseline side by side at every batch from 1 up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from suite.core.records import Cell
from suite.measure.arms import BASE, TECHNIQUE, Arm
from suite.measure.speed import CONFIDENCE, SamplingBudget, paired


@dataclass(frozen=True, kw_only=True)
class BatchCapacity:
    """One batch: median ``seconds`` of a call and items a second, of the cell and of the baseline.

    ``speedup`` is baseline over cell, ``low`` to ``high`` its 99 % interval (``None``: too few rounds).
    """

    batch: int
    seconds: float
    throughput: float
    baseline_seconds: float
    baseline_throughput: float
    speedup: float
    low: float | None
    high: float | None
    suspect: str | None


def batches(largest: int) -> tuple[int, ...]:
    """Powers of two up to ``largest``, and that itself."""
    powers = [2**k for k in range(largest.bit_length()) if 2**k < largest]
    return (*powers, largest)


def curve(
    cell: Cell, sides: Mapping[str, Arm], sizes: Sequence[int], budget: SamplingBudget
) -> Iterator[BatchCapacity]:
    """A point for each batch of ``sizes``."""
    for batch in sizes:
        sample = paired(cell, sides, batch, budget)
        ours, theirs = (float(np.median(sample.seconds[side])) for side in (TECHNIQUE, BASE))
        ratio = sample.ratio(BASE, TECHNIQUE, CONFIDENCE)
        yield BatchCapacity(
            batch=batch, seconds=ours, throughput=batch / ours, baseline_seconds=theirs,
            baseline_throughput=batch / theirs, speedup=ratio.value, low=ratio.low, high=ratio.high,
            suspect=sample.suspect,
        )  # fmt: skip


def peak(points: Sequence[BatchCapacity], max_batch: int) -> BatchCapacity:
    """The batch of the highest throughput that a batcher of ``max_batch`` can form: that of the cell's capacity.

    If something disturbed its rounds (``suspect``), the capacity is as doubtful as they are.
    """
    return max((point for point in points if point.batch <= max_batch), key=lambda point: point.throughput)


def capacity(points: Sequence[BatchCapacity], max_batch: int) -> float:
    """Items a second of the cell at the best batch that a batcher of ``max_batch`` can form."""
    return peak(points, max_batch).throughput
