"""What the operating system counts while a turn runs: preemptions and CPU time.

A turn that another process cut short is no measurement. On one core a rival takes whole time slices (a few
milliseconds), so that a turn either holds one or does not, and the median of the ratios lands on one of several
modes with a narrow interval around it. The wall clock alone cannot tell; the thread's own counters can.
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
    """A thread so far: switches forced on it, switches that it asked for by waiting, CPU seconds."""

    forced: int
    waited: int
    cpu: float


def thread_counters() -> Counters | None:
    """What reads this thread's `Usage`; ``None`` where the platform does not count by thread (all but Linux)."""
    if sys.platform != "linux" or not hasattr(resource, "RUSAGE_THREAD"):
        return None
    return _usage


def _usage() -> Usage:
    counts = resource.getrusage(resource.RUSAGE_THREAD)
    return Usage(forced=counts.ru_nivcsw, waited=counts.ru_nvcsw, cpu=time.thread_time())


def preempted(before: Usage, after: Usage, wall: float) -> bool:
    """Whether somebody else had the core for more than 2 % of a turn of ``wall`` seconds.

    Time that the thread gave away by waiting is its own; time that is missing without any switch was taken by the
    hypervisor.
    """
    if wall - (after.cpu - before.cpu) <= MOST_LOST * wall:
        return False
    return after.forced > before.forced or after.waited == before.waited
