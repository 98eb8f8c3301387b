"""A dynamic batcher: waits for company, but not for long.

A batch leaves as soon as ``max_batch`` requests wait, or as the oldest has waited ``max_wait`` seconds; requests leave
in the order in which they came (as TensorFlow Serving's batching: Olston et al. 2017,
https://arxiv.org/abs/1712.06139). Times are seconds on one clock.
"""

from __future__ import annotations

from dataclasses import dataclass

from suite.core.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class Policy:
    """Requests of a batch at most, and seconds that the oldest waits for others. Raises `UsageError` out of range."""

    max_batch: int
    max_wait: float

    def __post_init__(self) -> None:
        if self.max_batch < 1:
            raise UsageError(f"a batch holds at least one request, got max_batch={self.max_batch}")
        if not 0 <= self.max_wait < float("inf"):
            raise UsageError(f"max_wait must be 0 seconds or more, got {self.max_wait!r}")

    def size(self, waiting: int, oldest: float, now: float) -> int:
        """How many of ``waiting`` requests leave now; 0 to wait on. ``oldest`` is when the first of them arrived."""
        if waiting >= self.max_batch:
            return self.max_batch
        return waiting if waiting and now >= oldest + self.max_wait else 0
