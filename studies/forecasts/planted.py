"""Dips planted into real curves: how well ill-behaved ones are told is measured with them.

Each dip is a net fall: from where it starts, the quality does not rise as the curve did but falls by ``depth``. The
curve's own noise stays. Shapes: n points.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from suite.curves.forecasting.behaviour import SECOND_TO_SD

Array = NDArray[np.float64]

VALLEY = 1.0  # doublings to either side of its bottom
SUDDEN = 0.25  # doublings that a lasting drop takes


def late(t: Array, y: Array, depth: float, start: float) -> Array:
    """A steady fall from ``start`` < 0 doublings before the end to the end."""
    trend = _trend(y)
    risen = np.where(t > start, trend - np.interp(start, t, trend), 0.0)
    return np.asarray(y - risen - depth * np.clip(1 - t / start, 0.0, 1.0))


def valley(t: Array, y: Array, depth: float, bottom: float) -> Array:
    """Down and back up within two doublings around ``bottom``, as in double descent."""
    trend = _trend(y)
    risen = np.maximum(trend - np.interp(bottom - VALLEY, t, trend), 0.0)
    return np.asarray(y - np.clip(1 - np.abs(t - bottom) / VALLEY, 0.0, 1.0) * (risen + depth))


def drop(t: Array, y: Array, depth: float, at: float) -> Array:
    """A step down ``at`` some point; the curve goes on from there as it did."""
    trend = _trend(y)
    risen = np.interp(at, t, trend) - np.interp(at - SUDDEN, t, trend)
    return np.asarray(y - (t >= at) * (risen + depth))


def planted(t: Array, y: Array, depth: float, draw: np.random.Generator) -> dict[str, Array]:
    """One curve of each form [n], kept in [0, 1]; those in the middle lie 1 to 5 doublings before the end."""
    middle = draw.uniform(max(0.7 * t[0], -5.0), -1.0)
    forms: dict[str, tuple[Callable[[Array, Array, float, float], Array], float]] = {
        "fall in the last doubling": (late, -1.0),
        "fall in the last two doublings": (late, -2.0),
        "valley": (valley, middle),
        "lasting drop": (drop, middle),
    }
    return {name: np.clip(form(t, y, depth, where), 0.0, 1.0) for name, (form, where) in forms.items()}


def noise(y: Array) -> float:
    """Standard deviation of independent noise in ``y`` [n], from its second differences, robustly."""
    return float(SECOND_TO_SD * np.median(np.abs(np.diff(y, 2))))


def _trend(y: Array) -> Array:
    """The closest curve that never falls: at each point the greatest over starts of the least mean over ends.

    Source: Barlow, Bartholomew, Bremner and Brunk, Statistical inference under order restrictions, 1972, theorem 1.9.
    """
    n, total = len(y), np.concatenate([[0.0], np.cumsum(y)])
    start, end = np.arange(n)[:, None], np.arange(n)
    mean = np.where(end >= start, (total[1:] - total[:-1, None]) / np.maximum(end - start + 1, 1), np.inf)
    least = np.minimum.accumulate(mean[:, ::-1], axis=1)[:, ::-1]
    return np.asarray(np.maximum.accumulate(np.where(end >= start, least, -np.inf), axis=0)[end, end])
