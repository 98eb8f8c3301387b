"""Interim analyses: a growing sample is looked at several times, and all looks together keep one error rate.

Repeated looks at a 99 % interval until it excludes a bound are wrong far more often than once in a hundred. So the
looks share the error. After the share ``t`` of the longest sample, the looks so far may have used ``alpha * log(1 + (e
- 1) t)``. Early looks get a large part of it. Source: Lan and DeMets, Discrete sequential boundaries for clinical
trials, Biometrika 70 (1983), their second function. The interval of a look uses the error that this look adds. By the
union bound the error of all looks together is at most ``alpha``, for any distribution and any dependence between looks.
The exact boundaries for normal increments would not hold for medians.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

SHARES = (0.25, 0.5, 1.0)
"""Shares of the longest sample at which the looks happen: one, two and four budgets."""


@dataclass(frozen=True, kw_only=True)
class DecisionBound:
    """The bounds that the ratio of two arms' times, ``numerator`` over ``denominator``, is compared with."""

    numerator: str
    denominator: str
    bounds: tuple[float, ...]

    def decided(self, low: float, high: float) -> bool:
        """Whether an interval from ``low`` to ``high`` contains none of the bounds."""
        return all(low >= bound or high <= bound for bound in self.bounds)


def spent(share: float, alpha: float) -> float:
    """The error that all looks up to a ``share`` of the longest sample may have used."""
    return alpha * math.log1p((math.e - 1) * share)


def confidence_at(look: int, confidence: float) -> float:
    """The confidence of the ``look``-th look (from 0) if all looks together have ``confidence``."""
    alpha = 1 - confidence
    before = spent(SHARES[look - 1], alpha) if look else 0.0
    return 1 - (spent(SHARES[look], alpha) - before)


def strictest(confidence: float) -> float:
    """The greatest confidence of any look."""
    return max(confidence_at(look, confidence) for look in range(len(SHARES)))
