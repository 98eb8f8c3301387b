"""How a cell is to be put under load."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from suite.analysis.load_test.batcher import Policy
from suite.core.errors import UsageError

SHARES = (0.25, 0.5, 0.75, 0.9, 1.2)
MOST = 3.0  # of the capacity: beyond it nothing but the queue is measured
SERVICES = 3.0  # full batches that fit beside the wait into an objective that nobody gave


@dataclass(frozen=True, kw_only=True)
class LoadTestPlan:
    """Batches up to ``largest``, then loads of ``seconds`` at ``shares`` of the capacity under ``policy``.

    ``objective`` are the seconds of a good answer, ``None`` to take them from a full batch. ``sampling`` are the
    seconds of each batch of the curve. Raises `UsageError` for what cannot be measured.
    """

    policy: Policy
    largest: int = 512
    shares: Sequence[float] = SHARES
    seconds: float = 5.0
    sampling: float = 2.0
    objective: float | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if self.largest < self.policy.max_batch:
            raise UsageError(
                f"--largest {self.largest} is below --max-batch {self.policy.max_batch}; raise it to that batch"
            )
        if not self.shares or min(self.shares) <= 0:
            raise UsageError(f"loads are shares of the capacity above 0, got {list(self.shares)}")
        if max(self.shares) > MOST:
            raise UsageError(
                f"a load of {max(self.shares):.0%} of the capacity only measures how long the queue grows; give "
                f"--load-share at most {MOST:.0%}, as a share (0.5) or in percent (50)"
            )
        if self.objective is not None and self.objective <= 0:
            raise UsageError(f"an objective is more than 0 seconds, got {self.objective!r}")

    def objective_of(self, full_batch: float) -> float:
        """The given one, or the wait and three times the ``full_batch`` seconds of a batch of the largest size."""
        return self.policy.max_wait + SERVICES * full_batch if self.objective is None else self.objective


def share_of(text: str) -> float:
    """A load as a share of the capacity: ``0.5``, ``50`` and ``50%`` are the same; numbers above 3 are percent.

    Raises `UsageError` for what is no number.
    """
    number, percent = text.strip().removesuffix("%").strip(), text.strip().endswith("%")
    try:
        value = float(number)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise UsageError(f"--load-share {text!r} is no share of the capacity; write 0.5, 50 or 50%")
    return value / 100 if percent or value > MOST else value
