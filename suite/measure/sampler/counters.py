"""Counters of the operating system around a turn: preemptions and CPU time.

A turn that another process interrupted is no measurement. On one core the other process takes whole time slices (a few
milliseconds). A turn contains such a slice or none, so the ratios have several modes. Their median is at one of them,
with a narrow interval around it. The wall clock alone cannot detect this; the thread's own counters can.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

if sys.platform != "win32":
    import resource

MOST_LOST = 0.02  # of a turn's wall time that the thread may have spent off its core; kernel threads take less

Counters = Callable[[], "Usage"]


@dataclass(frozen=True, kw_only=True)
class Usage:
    """A thread so far: forced context switches, voluntary ones (waiting), CPU seconds."""

    forced: int
    waited: int
    cpu: float


def thread_counters() -> Counters | None:
    """A reader of this thread's `Usage`; ``None`` if the platform does not count by thread (all but Linux)."""
    if sys.platform != "linux" or not hasattr(resource, "RUSAGE_THREAD"):
        return None
    return _usage


def _usage() -> Usage:
    counts = resource.getrusage(resource.RUSAGE_THREAD)
    return Usage(forced=counts.ru_nivcsw, waited=counts.ru_nvcsw, cpu=time.thread_time())


def preempted(before: Usage, after: Usage, wall: float) -> bool:
    """Whether another process had the core for more than 2 % of a turn of ``wall`` seconds.

    Waiting of the thread itself does not count. If time is missing without any switch, the hypervisor took it.
    """
    if wall - (after.cpu - before.cpu) <= MOST_LOST * wall:
        return False
    return after.forced > before.forced or after.waited == before.waited
