"""Where a run's wall time goes: each second belongs to exactly one phase.

A phase that is entered inside another one takes its time away from the outer one, so the totals always add up to
the elapsed time. Time outside every phase is ``other``: the suite's own overhead.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from suite.core.errors import unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

OTHER = "other"
NAMES = ("imports", "training", "testing", "compiling", "timing", "memory", "fresh_process", OTHER)
NOT_OURS = ("imports", "fresh_process")  # the interpreter's and another process's time: no part of the overhead


class Phases:
    """One account of wall time, read from ``clock`` (seconds). Not for use by several threads at once."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._open = [OTHER]
        self.reset()

    def reset(self) -> None:
        """Start counting from zero; phases that are open stay open."""
        self._began = self._mark = self._clock()
        self._spent = dict.fromkeys(NAMES, 0.0)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Count the body's time as ``name``, except what inner phases take."""
        if name not in NAMES:
            raise unknown("phase", name, NAMES)
        self._book()
        self._open.append(name)
        try:
            yield
        finally:
            self._book()
            self._open.pop()

    def elapsed(self) -> float:
        """Seconds since the start or the last `reset`."""
        self._book()
        return self._mark - self._began

    def totals(self) -> dict[str, float]:
        """Seconds by phase, open phases included up to now; they add up to `elapsed`."""
        self._book()
        return dict(self._spent)

    def overhead(self) -> float:
        """Share of the time, imports and fresh processes aside, that no named phase took; 0 before any time passed."""
        totals = self.totals()
        ours = sum(seconds for name, seconds in totals.items() if name not in NOT_OURS)
        return totals[OTHER] / ours if ours > 0 else 0.0

    def _book(self) -> None:
        now = self._clock()
        self._spent[self._open[-1]] += now - self._mark
        self._mark = now


_RUN = Phases()
phase = _RUN.phase
totals = _RUN.totals
elapsed = _RUN.elapsed
overhead = _RUN.overhead
reset = _RUN.reset
