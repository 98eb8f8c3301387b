"""How a cell is to be put under load."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from suite.analysis.load_test.batcher import Policy
from suite.core.errors import UsageError

SHARES = (0.25, 0.5, 0.75, 0.9, 1.2)
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
        if self.objective is not None and self.objective <= 0:
            raise UsageError(f"an objective is more than 0 seconds, got {self.objective!r}")

    def objective_of(self, full_batch: float) -> float:
        """The given one, or the wait and three times the ``full_batch`` seconds of a batch of the largest size."""
        return self.policy.max_wait + SERVICES * full_batch if self.objective is None else self.objective
