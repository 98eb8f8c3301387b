"""A figure of a comparison that needs no statistics: sizes, outputs, counts of work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from suite.compare.judge import Verdict


@dataclass(frozen=True, kw_only=True)
class Exact:
    """A figure of the current code and of the reference; outputs have a difference alone.

    ``changes`` names what came and went in a count, or says why it decides nothing.
    """

    metric: str
    current: float
    reference: float | None
    verdict: Verdict
    changes: tuple[str, ...] = ()
