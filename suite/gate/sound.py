"""Why a stored entry cannot do its work: bounds that no measurement crosses, and fields that contradict each other.

A gate refuses such entries (exit code 11), since a bound that cannot break looks like a test and is none.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import stdev
from typing import TYPE_CHECKING

from suite.core.metrics import METRICS, SHARES, VS_CONTROL, WORST_SEED, is_paired, limits, tiers
from suite.gate.bounds import ROUNDED, over_seeds

if TYPE_CHECKING:
    from collections.abc import Callable

    from suite.core.records import Expectation

MOST_LOST = {"paired": 0.9, "quality": 0.5, "other": 0.9}  # share of the value that a lower bound may give away
MOST_TIMES = 10  # times the value that an upper bound may reach
SMALL = 0.1  # in units of "1": what a score near zero may lose
NOISES = 8  # twice what a recording asks for, in standard errors
MOST_NOISE = {"absolute": 0.75, "relative": 10.0}  # of a share, in its unit; of anything else, relative to the value
MOST_ASKED = 0.5  # of a share, in its unit
DELETE = "correct it, or delete the entry and record it again"


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What is wrong with an entry and how to correct it; ``key`` is the field that it is about."""

    key: str
    problem: str


def fault(entry: Expectation) -> Fault | None:
    """The first fault of an entry, or ``None``. A retired entry is not judged by, so nothing of it is a fault."""
    if entry.retired or entry.metric not in METRICS:
        return None
    checks: tuple[Callable[[Expectation], Fault | None], ...] = (_tier, _no_bound, _range, _noise, _seeds, _far, _few)
    return next((found for check in checks if (found := check(entry))), None)


def unfavourable(entry: Expectation) -> tuple[str, float | None]:
    """The name and the value of the bound that a regression crosses."""
    return ("low", entry.low) if entry.better == "higher" else ("high", entry.high)


def _tier(entry: Expectation) -> Fault | None:
    known = tiers(entry.metric)
    if entry.tier in known:
        return None
    return Fault(key="tier", problem=f"tier is {entry.tier!r}, but {entry.metric} has {' or '.join(map(repr, known))}")


def _no_bound(entry: Expectation) -> Fault | None:
    side, bound = unfavourable(entry)
    if bound is not None:
        return None
    return Fault(
        key="low" if entry.high is None else "high",
        problem=f"{side} is missing: {entry.better} is better, so only {side} can detect a regression; add {side}",
    )


def _range(entry: Expectation) -> Fault | None:
    """A bound at the end of what can be measured is crossed by nothing."""
    side, bound = unfavourable(entry)
    least, greatest = limits(entry.metric)
    end = least if entry.better == "higher" else greatest
    assert bound is not None  # noqa: S101  # checked before
    beyond = bound <= end if entry.better == "higher" else bound >= end
    if not math.isfinite(end) or not beyond or bound == entry.value == end:
        return None
    return Fault(
        key=side,
        problem=f"{side} = {bound:g} can never be crossed: {entry.metric} lies between {least:g} and {greatest:g}; "
        f"write a bound nearer to the value {entry.value:g}, or delete the entry and record it again",
    )


def _noise(entry: Expectation) -> Fault | None:
    if entry.noise is None:
        return None
    share = entry.metric in SHARES
    most = MOST_NOISE["absolute" if share else "relative"]
    if (share or METRICS[entry.metric].noise == "relative") and entry.noise > most:
        return Fault(key="noise", problem=f"noise = {entry.noise:g} is no standard deviation of {entry.metric}: "
                     f"the most is {most:g}; remove it, or delete the entry and record it again")  # fmt: skip
    values = list(entry.by_seed.values())
    if len(values) < 2 or len(entry.seen) > 1:  # noqa: PLR2004  # of several machines by_seed holds a mixture
        return None
    spread = stdev(values)
    if entry.noise <= 1.01 * spread + ROUNDED * max(map(abs, values)):
        return None
    return Fault(
        key="noise",
        problem=f"noise = {entry.noise:g}, but by_seed has a standard deviation of {spread:.4g}; {DELETE}",
    )


def _seeds(entry: Expectation) -> Fault | None:
    """Values by seed replace the entry's value if fewer seeds are measured, so they have to agree with it."""
    values = list(entry.by_seed.values())
    if not values or METRICS[entry.metric].group != "quality":
        return None
    if entry.seeds != len(values):
        return Fault(key="seeds", problem=f"seeds = {entry.seeds}, but by_seed has {len(values)} values; "
                     f"write seeds = {len(values)}, or delete the entry and record it again")  # fmt: skip
    together = over_seeds(entry, values)
    what = "the worst" if entry.metric.endswith(WORST_SEED) else "the mean"
    size = max(map(abs, (*values, entry.value)))
    if _agree(entry, together, ROUNDED * size):
        return None
    return Fault(key="by_seed", problem=f"{what} of by_seed is {together:.6g}, but value = {entry.value:.6g}; "
                 f"{DELETE}")  # fmt: skip


def _agree(entry: Expectation, together: float, slack: float) -> bool:
    """Of several machines ``by_seed`` holds the least favourable value of each seed: no further off than the bound."""
    if len(entry.seen) > 1:
        _, bound = unfavourable(entry)
        assert bound is not None  # noqa: S101  # checked before
        slack += abs(entry.value - bound)
    return abs(together - entry.value) <= slack


def _far(entry: Expectation) -> Fault | None:
    side, bound = unfavourable(entry)
    assert bound is not None  # noqa: S101  # checked before
    if abs(bound - entry.value) <= _farthest(entry):
        return None
    return Fault(
        key=side,
        problem=f"{side} = {bound:g} is so far from value = {entry.value:g} that it detects no regression: at most "
        f"{_farthest(entry):.4g} away is accepted; write a nearer one, or delete the entry and record it again",
    )


def _farthest(entry: Expectation) -> float:
    """How far from the value its unfavourable bound may be, in the unit: several times what recording asks for."""
    size, quality = abs(entry.value), METRICS[entry.metric].noise == "absolute"
    asked = NOISES * (entry.noise or 0.0) / math.sqrt(len(entry.by_seed)) if quality and entry.by_seed else 0.0
    if entry.metric in SHARES:
        asked = min(asked, MOST_ASKED)
    if entry.metric.endswith(VS_CONTROL):
        return max(asked, 0.5 if entry.metric in SHARES else 1.0) if entry.unit == "1" else math.inf
    if entry.metric == "output_error":
        return max(1.0, (MOST_TIMES - 1) * size)
    if entry.better == "lower":
        return max((MOST_TIMES - 1) * size, asked) if size else math.inf
    kind = "paired" if is_paired(entry.metric) else "quality" if quality else "other"
    small = SMALL if quality and entry.unit == "1" else 0.0
    return max(MOST_LOST[kind] * size, asked, small)


def _few(entry: Expectation) -> Fault | None:
    """One seed is held to a bound that is wider by the root of ``seeds`` where no value of that seed is stored."""
    if entry.by_seed or not entry.seeds or METRICS[entry.metric].noise != "absolute":
        return None
    _, bound = unfavourable(entry)
    assert bound is not None  # noqa: S101  # checked before
    if abs(bound - entry.value) * math.sqrt(entry.seeds) <= _farthest(entry):
        return None
    return Fault(
        key="seeds",
        problem=f"seeds = {entry.seeds} without by_seed: the bound of a single seed would be "
        f"{math.sqrt(entry.seeds):.3g} times as far from the value; delete the entry and record it again, which stores "
        "by_seed",
    )
