"""What a load brought: percentiles, goodput, and whether the server kept up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from suite.analysis.load_test.batcher import Policy
    from suite.analysis.load_test.open_loop import RequestLog

BEHIND = 0.05  # of the load's duration: a server that is still that long at work after it did not keep up


@dataclass(frozen=True, kw_only=True)
class Load:
    """One load: ``share`` of the capacity, ``rate`` of requests a second, latencies in seconds.

    ``goodput`` are the requests a second that were answered within the objective, ``late`` the share of the others.
    ``saturated`` says that work piled up: percentiles then grow with the duration and describe nothing else.
    ``suspect`` says what disturbed the rounds of the capacity that ``share`` is a share of.
    """

    share: float
    rate: float
    requests: int
    p50: float
    p99: float
    goodput: float
    late: float
    mean_batch: float
    saturated: bool
    suspect: str | None = None


def summary(log: RequestLog, policy: Policy, *, share: float, rate: float, seconds: float, objective: float) -> Load:
    """The figures of a load that was offered for ``seconds``; ``objective`` are the seconds of a good answer."""
    latencies = log.latencies
    good = int((latencies <= objective).sum())
    p50, p99 = (float(value) for value in np.quantile(latencies, (0.5, 0.99)))
    return Load(
        share=share, rate=rate, requests=len(latencies), p50=p50, p99=p99,
        goodput=good / max(seconds, float(log.done[-1])), late=1 - good / len(latencies),
        mean_batch=float(log.sizes.mean()), saturated=fell_behind(log, policy, seconds),
    )  # fmt: skip


def fell_behind(log: RequestLog, policy: Policy, seconds: float) -> bool:
    """Whether the last answer came later than waiting, one full batch and a little of the duration explain."""
    longest = float((log.done - log.started).max())
    return float(log.done[-1]) > seconds * (1 + BEHIND) + policy.max_wait + longest
