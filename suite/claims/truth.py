"""Three-valued truth of statements on measured quantities: an interval may lie on both sides of a limit.

Source of the logic: Kleene, Introduction to Metamathematics (1952), section 64, strong connectives.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum


class Truth(Enum):
    """Whether a statement holds; ``OPEN`` where the interval does not decide it."""

    FALSE = 0
    OPEN = 1
    TRUE = 2

    def __invert__(self) -> Truth:
        return Truth(2 - self.value)

    @staticmethod
    def of(holds: bool) -> Truth:  # noqa: FBT001  # it is the value itself
        """Of a statement that is decided."""
        return Truth.TRUE if holds else Truth.FALSE


def every(found: Iterable[Truth]) -> Truth:
    """``and``: the least of them, true without any."""
    return Truth(min((one.value for one in found), default=Truth.TRUE.value))


def some(found: Iterable[Truth]) -> Truth:
    """``or``: the greatest of them, false without any."""
    return Truth(max((one.value for one in found), default=Truth.FALSE.value))
