"""Serve arrivals in real time, in an open loop: a request counts from its intended arrival, however late it is seen.

While a batch is served nothing is looked at, and whoever was due meanwhile is found waiting afterwards with the time
that they are due since: no coordinated omission (Schroeder et al. 2006, https://www.usenix.org/conference/nsdi-06/open-versus-closed-cautionary-tale).
Shapes: N requests, B batches.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from suite.analysis.load_test.batcher import Policy

SPIN = 1e-3  # seconds: a sleep may end that much late, so the last of them are waited for awake


@dataclass(frozen=True, kw_only=True, eq=False)
class RequestLog:
    """What happened: ``arrivals`` [N], and ``started``, ``done`` and ``sizes`` [B] of the batches, in order."""

    arrivals: NDArray[np.float64]
    started: NDArray[np.float64]
    done: NDArray[np.float64]
    sizes: NDArray[np.int64]

    @property
    def latencies(self) -> NDArray[np.float64]:
        """Seconds [N] from the intended arrival to the answer."""
        return np.repeat(self.done, self.sizes) - self.arrivals


def drive(
    arrivals: NDArray[np.float64],
    policy: Policy,
    serve: Callable[[int, int], object],
    *,
    clock: Callable[[], float] = time.perf_counter,
    wait: Callable[[float], None] | None = None,
) -> RequestLog:
    """Serve all ``arrivals`` [N] (seconds from now, ascending); ``serve(first, size)`` answers those from ``first``.

    ``wait`` returns when ``clock`` says the time that it is given.
    """
    wait = wait or (lambda until: _wait(until, clock))
    began, served, batches = clock(), 0, []
    while served < len(arrivals):
        now = clock() - began
        waiting = int(np.searchsorted(arrivals, now, side="right")) - served
        size = policy.size(waiting, float(arrivals[served]), now)
        if size:
            serve(served, size)
            batches.append((now, clock() - began, size))
            served += size
        else:
            wait(began + _next(arrivals, policy, served, waiting))
    started, done, sizes = zip(*batches, strict=True)
    return RequestLog(arrivals=arrivals, started=np.array(started), done=np.array(done), sizes=np.array(sizes))


def _next(arrivals: NDArray[np.float64], policy: Policy, served: int, waiting: int) -> float:
    """When something happens: another request arrives, or the oldest has waited long enough."""
    due = float(arrivals[served]) + policy.max_wait
    following = served + waiting
    if not waiting:
        return float(arrivals[served])
    return min(due, float(arrivals[following])) if following < len(arrivals) else due


def _wait(until: float, clock: Callable[[], float]) -> None:
    left = until - clock()
    if left > SPIN:
        time.sleep(left - SPIN)
    while clock() < until:
        pass
