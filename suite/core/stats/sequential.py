"""When a sample may end that has something to decide: looks at a growing sample that keep one error rate together.

Looking again and again at a 99 % interval until it happens to exclude a bound is wrong far more often than once in a
hundred. So the error is spent over the looks: after shares ``t`` of the longest sample a look may use
``alpha * log(1 + (e - 1) t)`` in all (Lan and DeMets, Discrete sequential boundaries for clinical trials, Biometrika
70 (1983), their second function, which keeps most for an early end). A look's interval is at what it adds to that: by
the union bound the error of all looks together is then at most ``alpha``, whatever their distribution and however they
depend on each other, which the exact boundaries for normal increments would not promise for medians.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

SHARES = (0.25, 0.5, 1.0)
"""Of the longest sample, at which it is looked at: the budget, twice and four times as much."""


@dataclass(frozen=True, kw_only=True)
class DecisionBound:
    """The bounds that the ratio of two sides' times, ``numerator`` over ``denominator``, is to be held against."""

    numerator: str
    denominator: str
    bounds: tuple[float, ...]

    def decided(self, low: float, high: float) -> bool:
        """Whether an interval from ``low`` to ``high`` lies on one side of each bound."""
        return all(low >= bound or high <= bound for bound in self.bounds)


def spent(share: float, alpha: float) -> float:
    """The error that all looks up to a ``share`` of the longest sample may have used."""
    return alpha * math.log1p((math.e - 1) * share)


def confidence_at(look: int, confidence: float) -> float:
    """Of the interval of the ``look``-th look, from 0, where all looks together have ``confidence``."""
    alpha = 1 - confidence
    before = spent(SHARES[look - 1], alpha) if look else 0.0
    return 1 - (spent(SHARES[look], alpha) - before)


def strictest(confidence: float) -> float:
    """The greatest confidence of any look."""
    return max(confidence_at(look, confidence) for look in range(len(SHARES)))
