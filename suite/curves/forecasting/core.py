"""The forecast of clean curves of one kind: trend, families, gate and interval.

Method: the local trend in z carries over, classical families join where they fit, and the interval is as wide as
forecasts of real learning curves were wrong. Shapes: k curves, n points, m targets; what is missing stands at the
front with weight 0, the last point is always there. Arrays that all curves share may have 1 in place of k.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from suite.curves.forecasting import bands, families, gate, trend
from suite.curves.forecasting.transform import SPACES, Space

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Points:
    """Curves to forecast, in doublings ``t`` [k, n] from the last point and ``tau`` [k, m] beyond it.

    ``y`` [k, n] is in the space's own direction and unit, ``weight`` [k, n] relative, with 0 for what is missing.
    """

    t: Array
    y: Array
    weight: Array
    tau: Array

    @property
    def present(self) -> NDArray[np.bool_]:
        """Which points count [k, n]."""
        return self.weight > 0


@dataclass(frozen=True, kw_only=True)
class Band:
    """A forecast in z: ``centre`` [k, m] and its distances to the end that is worse and the one that is better."""

    centre: Array
    worse: Array
    better: Array


def forecast(points: Points, kind: str, level: float) -> tuple[Array, Array, Array]:
    """Mean, worse end and better end of the interval at ``level``, [k, m] each, in the unit of ``points.y``."""
    space = SPACES[kind]
    band = _band(points, space)
    stretch = bands.stretch(level)
    ends = (band.centre, band.centre - stretch * band.worse, band.centre + stretch * band.better)
    mean, worse, better = (space.y(end) for end in ends)
    return mean, worse, better


def _band(points: Points, space: Space) -> Band:
    z = space.z(points.y)
    rise, var = trend.follow(points.t, z - z[:, -1:], trend.window(points.t, points.weight), points.tau)
    by_trend = z[:, -1:] + rise
    fit = _families(points, space)
    predicted = space.inside(fit.predicted)
    by_families, slope = space.z(predicted), space.slope(predicted)
    weight = gate.trust(_ratio(points, fit, space))[:, None]
    common = weight * fit.variance * slope**2 * bands.factor(bands.FAMILIES, points.tau) ** 2
    common += weight * (1 - weight) * (bands.DISAGREEMENT * (by_families - by_trend)) ** 2
    local = (1 - weight) * var
    return Band(
        centre=(1 - weight) * by_trend + weight * by_families,
        worse=np.sqrt(local * bands.factor(bands.TREND_WORSE, points.tau) ** 2 + common),
        better=np.sqrt(local * bands.factor(bands.TREND_BETTER, points.tau) ** 2 + common),
    )


def _families(points: Points, space: Space) -> families.Average:
    weight = points.weight
    if space.relative:
        weight = weight / points.y**2  # y comes in units of its median
    return families.average(points.t, points.y, weight, points.tau)


def _ratio(points: Points, fit: families.Average, space: Space) -> Array:
    """Durbin-Watson ratio [k] of the families' residuals, relative ones where the noise is."""
    residual = points.y - fit.fitted
    return gate.durbin_watson(residual / points.y if space.relative else residual, points.present)
