"""How far a curve is from what unlimited resources would bring, by the family that fits it best."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from suite.analysis.advise.curve import LearningCurve
from suite.curves import CurveError, Fit, FitError, fit
from suite.curves.forecasting.kinds import Kind

CANDIDATES = ("pow3", "exp3", "ilog", "wbl3", "hill", "logarithm", "pow2")
LEAST_POINTS = 6  # two more than the parameters and the noise of the candidates


@dataclass(frozen=True, kw_only=True)
class Limit:
    """``room`` is what is left to the asymptote, in the quality's unit, at least 0; ``None`` with the ``reason``."""

    family: str | None
    asymptote: float | None
    room: float | None
    reason: str | None

    def __str__(self) -> str:
        if self.room is None:
            return f"the asymptote is not identified: {self.reason}"
        return f"{self.family} fits best: its asymptote {self.asymptote:.4g} is {self.room:.3g} away"


def limit(curve: LearningCurve, kind: Kind) -> Limit:
    """The asymptote of the best of `CANDIDATES` by the corrected Akaike criterion, if the data tell it."""
    positive = curve.resource > 0
    if positive.sum() < LEAST_POINTS:
        return Limit(family=None, asymptote=None, room=None, reason=f"fewer than {LEAST_POINTS} points")
    fits = [found for name in CANDIDATES if (found := _fitted(curve, positive, name)) is not None]
    if not fits:
        return Limit(family=None, asymptote=None, room=None, reason="no family fits the points")
    return _told(min(fits, key=lambda found: found.aicc), curve, kind)


def _fitted(curve: LearningCurve, positive: np.ndarray[tuple[int], np.dtype[np.bool_]], name: str) -> Fit | None:
    try:
        return fit(curve.resource[positive], curve.quality[positive], family=name)
    except (FitError, CurveError):
        return None


def _told(best: Fit, curve: LearningCurve, kind: Kind) -> Limit:
    name, asymptote = best.family.name, best.asymptote
    if not best.describes:
        reason = f"no family describes these points, not even {name}, which fits best"
        return Limit(family=name, asymptote=None, room=None, reason=reason)
    if asymptote is None:
        return Limit(family=name, asymptote=None, room=None, reason=best.unidentified["asymptote"])
    if kind.space == "accuracy" and not 0 <= asymptote <= 1:
        reason = f"that of {name}, which fits best, would be {asymptote:.4g}, outside of [0, 1]"
        return Limit(family=name, asymptote=None, room=None, reason=reason)
    room = asymptote - float(curve.quality[-1])
    return Limit(
        family=name, asymptote=asymptote, room=max(0.0, room if kind.better == "higher" else -room), reason=None
    )
