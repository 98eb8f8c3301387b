"""The gain from more of the resource, from the forecast's intervals, and the chance that it is worth the cost.

The chance comes from the intervals of `suite.curves.extrapolate` at five levels: the ends of each are read as two
quantiles with equal tails, and the distribution is interpolated between them. It is unknown beyond the widest interval,
98 %. So a chance is between 0.01 and 0.99, unless the requested quality is impossible.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from suite.analysis.advise.curve import Array, LearningCurve
from suite.curves import ExtrapolationError, extrapolate
from suite.curves.forecasting.kinds import Kind, kinds
from suite.curves.forecasting.names import TELL

LEVEL = 0.90
LEVELS = (0.2, 0.5, 0.8, LEVEL, 0.98)
MOST_TIMES = 32.0  # five doublings: intervals were checked no farther


@dataclass(frozen=True, kw_only=True)
class Outlook:
    """The gain over the last point at ``times`` its resource: mean and 90 % interval, positive where it is better.

    ``chance`` is the probability that the gain exceeds ``worth``; ``None`` where the forecast ``abstained``, which
    says why.
    """

    times: float
    resource: float
    worth: float
    gain: float
    low: float
    high: float
    chance: float | None
    abstained: str | None


def kind_of(curve: LearningCurve) -> Kind:
    """The kind and the better direction of a curve.

    Raises `ExtrapolationError` if they contradict its values, or if the better direction is unknown.
    """
    if curve.better is None and curve.kind in {"auto", "unbounded"}:
        raise ExtrapolationError(f"whether {curve.source} is better when higher or lower is not known; {TELL}")
    return kinds(curve.quality[None], curve.kind, curve.better)[0]


def outlook(curve: LearningCurve, worth: float, *, times: float = 2.0) -> Outlook:
    """Forecast ``times`` the last resource. Raises `ExtrapolationError` for a curve that cannot be used."""
    kind = kind_of(curve)
    to = times * float(curve.resource[-1])
    found = {level: _interval(curve, kind, to, level) for level in LEVELS}
    gain, low, high, abstained = found[LEVEL]
    quantiles = np.array([found[level][1] for level in LEVELS[::-1]] + [found[level][2] for level in LEVELS])
    tails = np.array([(1 - level) / 2 for level in LEVELS[::-1]] + [(1 + level) / 2 for level in LEVELS])
    chance = 0.0 if _impossible(curve, kind, worth) else chance_above(worth, quantiles, tails)
    return Outlook(
        times=times, resource=to, worth=worth, gain=gain, low=low, high=high,
        chance=None if abstained else chance, abstained=abstained,
    )  # fmt: skip


def chance_above(worth: float, quantiles: Array, tails: Array) -> float:
    """P(gain > worth) of a distribution with ``quantiles`` [q] at the probabilities ``tails`` [q], both ascending."""
    return float(1 - np.interp(worth, np.maximum.accumulate(quantiles), tails))


def _interval(curve: LearningCurve, kind: Kind, to: float, level: float) -> tuple[float, float, float, str | None]:
    """Mean, low and high of the gain, and why not."""
    told = extrapolate(
        curve.resource, curve.quality, to=[to], level=level, kind=kind.space, better=kind.better,
        annealed=curve.annealed,
    )  # fmt: skip
    ends = [float(values[0] - curve.quality[-1]) for values in (told.mean, told.low, told.high)]
    mean, low, high = ends if kind.better == "higher" else (-ends[0], -ends[2], -ends[1])
    return mean, low, high, told.abstained if isinstance(told.abstained, str) else None


def _impossible(curve: LearningCurve, kind: Kind, worth: float) -> bool:
    """Whether no quality is so good: an accuracy above 1, an error or a loss below 0."""
    last = float(curve.quality[-1])
    if kind.space == "unbounded":
        return False
    return last + worth > 1 if kind.better == "higher" else last - worth < 0
