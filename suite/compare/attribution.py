"""Code or environment: the 2 x 2 of old and new for the timings that regressed.

Both effects are measured against the current state: the old code in the new environment, and the new code in the old
environment, each against the new code in the new environment.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from suite.compare.judge import Rules, SpeedEstimate, estimate


@dataclass(frozen=True, kw_only=True)
class Blame:
    """The effect of the code alone and of the environment alone on one timing; ``None`` if it could not be measured."""

    cell: str
    metric: str
    code: SpeedEstimate | None
    environment: SpeedEstimate | None


def effect(logs: Sequence[float]) -> SpeedEstimate | None:
    """The estimate of a set of pairs, if there are enough."""
    return estimate(logs) if len(logs) > 1 else None


def blamed(found: Blame, rules: Rules) -> str:
    """The cause of a slowdown: an effect counts if its whole interval is below the allowed ratio.

    Both are cleared only if both were measured and neither interval reaches below the allowed ratio.
    """
    parts = {"the code": found.code, "the environment": found.environment}
    slowed = [name for name, one in parts.items() if one is not None and one.high < rules.failing]
    if slowed:
        return f"slowed by {' and '.join(slowed)}"
    innocent = all(one is not None and one.low >= rules.failing for one in parts.values())
    return "slowed by neither of the two alone" if innocent else "not decided which of the two slowed it"
