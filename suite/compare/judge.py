"""From the pairs' log ratios to verdicts: Student's t over pairs, a second set of pairs to confirm, Holm over the run.

A ratio is the reference's time divided by the current code's: below 1 if the current code is slower. The unit of
replication is the pair of processes, not the round: rounds of one pair share their memory layout and the machine's
state. Both looks at a timing (after one set of pairs, and after two) share its error by Bonferroni.

A regression has to be seen twice, in independent sets of pairs with one-sided p-values ``p1`` and ``p2``. On unchanged
code ``P(max(p1, p2) <= x) <= x * x``, so the square of the larger one is a p-value. Holm's procedure then keeps the
error of the whole run below `RUN_ERROR`, however timings depend on each other (`suite.core.stats.multiplicity`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import fmean, stdev
from typing import Literal

from suite.core.stats.intervals import mean_interval
from suite.core.stats.multiplicity import holm

Verdict = Literal["pass", "regressed", "inconclusive", "error", "missing", "unavailable", "same", "differs"]
CONFIDENCE = 0.99
LOOKS = 2
RUN_ERROR = 0.005  # one run in 200 on unchanged code
LEAST_SPREAD = 1e-6  # equal estimates of two pairs are luck


@dataclass(frozen=True, kw_only=True)
class Rules:
    """``margin``: a slowdown that a pass has to exclude. ``allow``: one that does not count as a regression."""

    margin: float = 0.02
    allow: float = 0.0

    @property
    def passing(self) -> float:
        """Ratio above which the whole interval of a pass lies."""
        return 1 - max(self.margin, self.allow)

    @property
    def failing(self) -> float:
        """Ratio below which the whole interval of a regression lies."""
        return 1 - self.allow


@dataclass(kw_only=True)
class Timing:
    """All that is known of one metric of one cell: log ratios of its pairs, by stage."""

    metric: str
    looked: list[float] = field(default_factory=list)
    looks: int = 0
    confirmed: list[float] = field(default_factory=list)
    rounds: int = 0
    dropped: int = 0
    trouble: str | None = None
    """Why there are no (more) pairs of it."""


@dataclass(frozen=True, kw_only=True)
class SpeedEstimate:
    """A ratio with its 99 % interval (of both looks together) and the pairs that it comes from."""

    ratio: float
    low: float
    high: float
    pairs: int


def estimate(logs: Sequence[float]) -> SpeedEstimate:
    """Geometric mean over pairs with Student's t interval of the logarithms; at least 2 pairs."""
    low, high = (math.exp(bound) for bound in mean_interval(list(logs), 1 - (1 - CONFIDENCE) / LOOKS))
    return SpeedEstimate(ratio=math.exp(fmean(logs)), low=low, high=high, pairs=len(logs))


def pairs_needed(found: SpeedEstimate, rules: Rules) -> int | None:
    """About how many pairs decide a timing if its ratio stays that of ``found``; ``None`` if no number does.

    A pass needs an interval above one bound, a regression one below the other: the one that is further away comes
    first. An interval's width falls with the square root of the number of pairs.
    """
    half = math.log(found.high / found.low) / 2
    room = max(math.log(found.ratio / rules.passing), math.log(rules.failing / found.ratio))
    return None if room < LEAST_SPREAD else max(found.pairs + 1, math.ceil(found.pairs * (half / room) ** 2))


def p_slower(logs: Sequence[float], bound: float) -> float:
    """One-sided p-value of 'the ratio is at least ``bound``'."""
    from scipy.special import stdtr  # scipy is slow to import

    error = max(stdev(logs), LEAST_SPREAD) / math.sqrt(len(logs))
    return float(stdtr(len(logs) - 1, (fmean(logs) - math.log(bound)) / error))


def first_verdict(timing: Timing, rules: Rules) -> Literal["pass", "suspected", "undecided"]:
    """The verdict of the first sets of pairs, before any confirmation."""
    if timing.trouble or not timing.looked:
        return "undecided"
    found = estimate(timing.looked)
    if found.high < rules.failing:
        return "suspected"
    return "pass" if found.low > rules.passing else "undecided"


def p_value(timing: Timing, rules: Rules) -> float:
    """Of 'no slower than allowed': 1 unless a fresh set of pairs looked at the suspicion too."""
    if first_verdict(timing, rules) != "suspected" or not timing.confirmed:
        return 1.0
    first = min(1.0, LOOKS * p_slower(timing.looked, rules.failing))
    return max(first, p_slower(timing.confirmed, rules.failing)) ** 2


def verdicts(timings: Sequence[Timing], rules: Rules) -> list[Verdict]:
    """The verdict of every timing of a run, in their order."""
    adjusted = holm([p_value(timing, rules) for timing in timings])
    return [_verdict(timing, rules, fallen=p <= RUN_ERROR) for timing, p in zip(timings, adjusted, strict=True)]


def _verdict(timing: Timing, rules: Rules, *, fallen: bool) -> Verdict:
    if fallen:
        return "regressed"
    return "pass" if first_verdict(timing, rules) == "pass" else "inconclusive"
