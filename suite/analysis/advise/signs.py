"""Signs that more of the same is the wrong thing: falls, overfitting, noise; and what the last doubling brought."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from suite.analysis.advise.curve import Array, LearningCurve
from suite.curves.forecasting.kinds import Kind

FEW = 5  # points below which a curve tells nothing of its noise
CLEAR = 3.0  # standard deviations of the noise
PART = 0.1  # of the curve's range: smaller changes are no sign


def last_gain(curve: LearningCurve, kind: Kind) -> float | None:
    """What the last doubling brought, between points by the logarithm of the resource; ``None`` if there is none."""
    r, q = _positive(curve)
    if len(r) == 0 or r[0] > r[-1] / 2:
        return None
    before = float(np.interp(np.log(r[-1] / 2), np.log(r), q))
    gain = float(q[-1]) - before
    return gain if kind.better == "higher" else -gain


def noise(quality: Array) -> float | None:
    """Robust standard deviation of the points around a smooth curve, by second differences; ``None`` of too few."""
    if len(quality) < FEW:
        return None
    return float(1.4826 * np.median(np.abs(np.diff(quality, 2))) / np.sqrt(6))


def signs(curve: LearningCurve, kind: Kind) -> Iterator[str]:
    """One sentence for each sign."""
    higher = curve.quality if kind.better == "higher" else -curve.quality
    best = int(np.argmax(higher))
    spread = noise(curve.quality)
    clear = max(CLEAR * (spread or 0.0), PART * float(np.ptp(higher)))
    drop = float(higher[best] - higher[-1])
    if drop > clear:
        yield f"it is {drop:.3g} worse than its best, {curve.quality[best]:.4g} at {curve.resource[best]:g}"
    yield from _overfitting(curve, kind, best, clear)
    gain = last_gain(curve, kind)
    if spread is not None and gain is not None and abs(gain) < spread:
        yield f"the last doubling's gain, {gain:.2g}, is smaller than the noise of a point, {spread:.2g}"


def _overfitting(curve: LearningCurve, kind: Kind, best: int, clear: float) -> Iterator[str]:
    if curve.train is None or best == len(curve.quality) - 1:
        return
    sign = 1 if kind.better == "higher" else -1
    gap = sign * (curve.train - curve.quality)
    wider, trained = float(gap[-1] - gap[best]), sign * float(curve.train[-1] - curve.train[best])
    if wider > clear and trained > 0:
        yield (
            f"overfitting: from {curve.resource[best]:g} on training improved by {trained:.3g} and this did not; "
            "more data or regularisation, not more steps"
        )


def _positive(curve: LearningCurve) -> tuple[Array, Array]:
    positive = curve.resource > 0
    return curve.resource[positive], curve.quality[positive]
