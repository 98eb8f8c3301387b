"""What the next doubling brought on public learning curves, by what the last one had brought.

6,192 curves of accuracy against training size (LCDB 1.1, Yan et al. 2025). Points are hundredths of an accuracy.
Over all curves the last doubling's gain ranks the next one's with Spearman's rho 0.667.
"""

from __future__ import annotations

from dataclasses import dataclass

CURVES = 6192
SPEARMAN = 0.667
POINT = 0.01


@dataclass(frozen=True)
class Fact:
    """Of curves whose last doubling gained ``low`` to ``high`` points, ``share`` gained over 1 point by the next."""

    low: float
    high: float
    share: float
    words: str

    def __str__(self) -> str:
        return f"of {CURVES:,} public curves, those {self.words} gained over 1 point next in {100 * self.share:.0f} %"


FACTS = (
    Fact(float("-inf"), 0.0, 0.15, "whose last doubling lost"),
    Fact(0.0, 0.5, 0.03, "whose last doubling gained 0 to 0.5 points"),
    Fact(2.0, float("inf"), 0.86, "whose last doubling gained over 2 points"),
)


def fact(gain: float) -> Fact | None:
    """Known facts about curves with this gain of accuracy in the last doubling; ``None`` from 0.5 to 2 points."""
    points = gain / POINT
    return next((found for found in FACTS if _holds(found, points)), None)


def _holds(found: Fact, points: float) -> bool:
    return points < 0 if found.high == 0 else max(0.0, found.low) <= points <= found.high
