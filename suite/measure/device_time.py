"""How much of a call's time the accelerator works: below one half the host limits it, and figures are the host's.

Two events around a call do not tell: a device that waits for launches is between them as well. So the device is given
other work first, long enough for the host to launch the whole call behind it; then the span between the events is
what the device needs when nothing keeps it waiting.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import median
from time import perf_counter
from typing import Any, Protocol

import torch

CALLS = 10
LONG, EARLY = 0.1, 0.1  # seconds of a call, and the share of it in which the host launches it
AHEAD = 3.0  # times the call's wall time that the device is kept busy while the host launches
BLOCK_SIZE = 4096  # of the square matrices whose products keep it busy


class Queue(Protocol):
    """The work queue of an accelerator."""

    def synchronize(self) -> None:
        """Wait for all work."""

    def mark(self) -> Any:
        """A mark in the queue, for `seconds_between`."""

    def seconds_between(self, first: Any, second: Any) -> float:
        """Seconds of the device's own clock; both marks have been passed."""

    def keep_busy(self, seconds: float) -> None:
        """Queue other work of at least so many seconds, and come back at once."""


def device_share(
    call: Callable[[], object], device: str, *, queue: Queue | None = None, clock: Callable[[], float] = perf_counter
) -> float | None:
    """Device time over wall time of ``call`` (warmed up already), at most 1: the median of several calls each.

    Of a long call that is launched long before it ends the launches alone are taken for idle: one call tells. ``None``
    on a CPU and where the device's events keep no time. A call that itself waits for the device in between
    seems to be the device's: its launches cannot be queued ahead.
    """
    if torch.device(device).type == "cpu":
        return None
    line = queue or _open(device)
    if line is None:
        return None
    launch, wall = _launched(call, line, clock)
    if wall >= LONG and launch <= EARLY * wall:
        return 1 - launch / wall
    wall = median(_wall(call, line, clock) for _ in range(CALLS))
    work = median(_work(call, line, AHEAD * wall) for _ in range(CALLS))
    return min(1.0, work / wall) if wall > 0 else None


def _launched(call: Callable[[], object], line: Queue, clock: Callable[[], float]) -> tuple[float, float]:
    """Seconds until the host has launched one call, and until it has ended."""
    line.synchronize()
    start = clock()
    call()
    launched = clock() - start
    line.synchronize()
    return launched, clock() - start


def _wall(call: Callable[[], object], line: Queue, clock: Callable[[], float]) -> float:
    return _launched(call, line, clock)[1]


def _work(call: Callable[[], object], line: Queue, ahead: float) -> float:
    line.keep_busy(ahead)
    first = line.mark()
    call()
    second = line.mark()
    line.synchronize()
    return line.seconds_between(first, second)


def _open(device: str) -> Queue | None:
    try:
        return TorchQueue(device)
    except (RuntimeError, NotImplementedError):  # a backend whose events keep no time
        return None


class TorchQueue:
    """The current stream of one of torch's accelerators."""

    def __init__(self, device: str) -> None:
        self.device = device
        self.factor = torch.ones(BLOCK_SIZE, BLOCK_SIZE, device=device)
        self._multiply(1)  # loads the library
        first = self.mark()
        self._multiply(1)
        second = self.mark()
        self.synchronize()
        self.seconds = self.seconds_between(first, second)

    def synchronize(self) -> None:
        torch.accelerator.synchronize(self.device)

    def mark(self) -> torch.Event:
        event = torch.Event(self.device, enable_timing=True)
        event.record(torch.accelerator.current_stream(self.device))
        return event

    def seconds_between(self, first: torch.Event, second: torch.Event) -> float:
        return first.elapsed_time(second) / 1000

    def keep_busy(self, seconds: float) -> None:
        self._multiply(math.ceil(seconds / self.seconds))

    def _multiply(self, times: int) -> None:
        for _ in range(times):
            torch.mm(self.factor, self.factor)
