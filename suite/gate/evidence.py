"""What a judgement rests on, computed once for each measurement that has an expectation."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from suite.gate.error_rate import bar
from suite.gate.power import detectable
from suite.gate.seed_subset import Bounds, bounds_of

if TYPE_CHECKING:
    from suite.core.records import Expectation, Measurement


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """The ``bounds`` of the seeds that were measured; for a ratio of times the ``threshold`` below which it has to lie
    to regress in this run; and the least loss that the run can detect.
    """

    bounds: Bounds
    threshold: float | None = None
    detectable: float | None = None

    def entry(self, stored: Expectation) -> Expectation:
        """The stored entry with the value and the bounds that the measurement is judged by."""
        bounds = self.bounds
        if (bounds.value, bounds.low, bounds.high) == (stored.value, stored.low, stored.high):
            return stored
        return replace(stored, value=bounds.value, low=bounds.low, high=bounds.high)


def weigh(measured: Measurement, entry: Expectation, timings: int) -> Evidence:
    """The evidence of a measurement in a run that judges ``timings`` ratios of times."""
    threshold = bar(entry, timings)
    return Evidence(
        bounds=bounds_of(measured, entry), threshold=threshold, detectable=detectable(measured, entry, threshold)
    )
