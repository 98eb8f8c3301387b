"""The alpha-beta model of a ring all-reduce: a latency for each message, a time for each byte.

Hockney 1994, https://doi.org/10.1016/S0167-8191(06)80021-9; for the ring Thakur et al. 2005,
https://doi.org/10.1177/1094342005051521. The p ranks take 2 (p - 1) turns, in each of which a rank sends a p-th of the
n bytes: T = 2 (p - 1) (alpha + beta n / p). The model is fitted to minima: other work only makes times longer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter

import numpy as np
import torch
import torch.distributed as dist
from scipy.optimize import nnls

from suite.core.errors import UsageError
from suite.training.distributed.launching import Rank, run_ranks

SIZES = (4, 1 << 10, 1 << 14, 1 << 17, 1 << 20, 1 << 22)
"""Bytes of the vectors whose all-reduce is timed."""
REPEATS = 30


@dataclass(frozen=True, kw_only=True)
class AllReduceTime:
    """The least of `REPEATS` seconds that an all-reduce of ``payload`` bytes took among ``ranks``."""

    ranks: int
    payload: int
    seconds: float


@dataclass(frozen=True, kw_only=True)
class AlphaBeta:
    """``alpha``: seconds a message; ``beta``: seconds a byte; ``error``: the largest relative one of measured times."""

    alpha: float
    beta: float
    error: float

    def seconds(self, ranks: int, payload: int) -> float:
        """Predicted seconds of an all-reduce; none for one rank."""
        return float(np.dot(_turns(ranks, payload), (self.alpha, self.beta)))


def all_reduce_times(ranks: int, sizes: Sequence[int] = SIZES) -> list[AllReduceTime]:
    """The times of all-reduces among so many ranks of this machine, in a launch of their own."""

    def work(_rank: Rank) -> list[float]:
        return [_least(torch.zeros(max(1, size // 4))) for size in sizes]

    of_ranks = zip(*run_ranks(work, ranks), strict=True)
    return [
        AllReduceTime(ranks=ranks, payload=size, seconds=max(times))
        for size, times in zip(sizes, of_ranks, strict=True)
    ]


def _least(vector: torch.Tensor) -> float:
    taken = []
    for _ in range(REPEATS):
        dist.barrier()
        began = perf_counter()
        dist.all_reduce(vector)
        taken.append(perf_counter() - began)
    return min(taken[1:])


def fitted(times: Sequence[AllReduceTime]) -> AlphaBeta:
    """The model with the least relative squared error; neither parameter is negative. Raises `UsageError` for one
    time alone.
    """
    if len(times) < 2:  # noqa: PLR2004  # as many as parameters
        raise UsageError(f"two parameters need two times or more, got {len(times)}")
    rows = np.array([_turns(one.ranks, one.payload) for one in times])
    seconds = np.array([one.seconds for one in times])
    (alpha, beta), _ = nnls(rows / seconds[:, None], np.ones(len(times)))
    errors = np.abs(rows @ (alpha, beta) / seconds - 1)
    return AlphaBeta(alpha=float(alpha), beta=float(beta), error=float(errors.max()))


def _turns(ranks: int, payload: int) -> tuple[float, float]:
    return 2.0 * (ranks - 1), 2.0 * (ranks - 1) / ranks * payload
