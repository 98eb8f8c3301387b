"""The forecast of clean curves of one kind: trend, families, gate and interval.

Method: the local trend in z continues, classical families join if they fit, and the interval is as wide as the errors
of forecasts of real learning curves. Shapes: k curves, n points, m targets; missing points are at the front with weight
0, the last point is always there. Arrays that all curves share may have 1 in place of k.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from suite.curves.forecasting import bands, behaviour, families, gate, refined, trend
from suite.curves.forecasting.transform import SPACES, Transform

Array = NDArray[np.float64]

CHUNK = 96  # curves at a time: their arrays stay in the cache
WIDEST = {True: 1.0, False: 4.0}  # measured ranges that an interval may span, of a bounded quality and of others
FACTOR = np.log(4.0)  # between the ends of a loss's interval that still says something


@dataclass(frozen=True, kw_only=True)
class CurveBatch:
    """Curves to forecast, in doublings ``t`` [k, n] from the last point and ``tau`` [k, m] beyond it.

    ``y`` [k, n] is in the space's own direction and unit, ``weight`` [k, n] relative, with 0 for what is missing.
    """

    t: Array
    y: Array
    weight: Array
    tau: Array

    def of(self, rows: slice | NDArray[np.bool_]) -> CurveBatch:
        """Some of the curves; what all share stays shared."""
        t, weight, tau = (a if len(a) == 1 else a[rows] for a in (self.t, self.weight, self.tau))
        return CurveBatch(t=t, y=self.y[rows], weight=weight, tau=tau)

    @property
    def present(self) -> NDArray[np.bool_]:
        """Which points count [k, n]."""
        return self.weight > 0


@dataclass(frozen=True, kw_only=True)
class ScaledForecast:
    """A forecast in z: ``centre`` [k, m] and its distances to the end that is worse and the one that is better."""

    centre: Array
    worse: Array
    better: Array


def forecast(points: CurveBatch, kind: str, level: float, wider: float = 1.0) -> tuple[Array, Array, Array, Array]:
    """Mean, worse end and better end of the interval at ``level``; how much too wide it is at 90 %: [k, m] each.

    In the unit of ``points.y``. Intervals are ``wider`` times as wide in z as those of separate trainings.
    """
    space = SPACES[kind]
    band = _band(points, space)
    mean, (worse, better) = space.y(band.centre), _ends(band, space, wider * bands.stretch(level))
    return mean, worse, better, _excess(points, space, _ends(band, space, wider))


def _excess(points: CurveBatch, space: Transform, ends: tuple[Array, Array]) -> Array:
    """How much wider [k, m] an interval is than all that was measured, or than what still says something; 1 is as wide.

    A loss is looked at in z as well: a factor between the ends says nothing if it is far larger than any before.
    """
    worse, better = ends
    seen = behaviour.span(points.y, points.present)[:, None]
    allowed = np.maximum(WIDEST[space.bounded] * seen, space.informative)
    excess = np.abs(better - worse) / allowed
    if space.relative:
        factor = behaviour.span(space.z(points.y), points.present)[:, None]
        excess = np.maximum(excess, np.abs(space.z(better) - space.z(worse)) / np.maximum(factor, FACTOR))
    return np.asarray(excess)


def _ends(band: ScaledForecast, space: Transform, stretch: float) -> tuple[Array, Array]:
    return space.y(band.centre - stretch * band.worse), space.y(band.centre + stretch * band.better)


def _band(points: CurveBatch, space: Transform) -> ScaledForecast:
    starts = range(0, len(points.y), CHUNK)
    rough = [_rough(points.of(slice(start, start + CHUNK)), space) for start in starts]
    by_trend, var = (np.concatenate(parts) for parts in zip(*((one.trend, one.variance) for one in rough), strict=True))
    fit, weight = _trusted(points, space, families.joined([one.fit for one in rough]))
    predicted = space.inside(fit.predicted)
    weight = np.where(space.holds(fit.predicted), weight, 0.0)  # a clamped prediction is no prediction
    by_families = space.z(predicted)
    spread = _bent(np.sqrt(fit.variance) * space.slope(predicted))
    common = weight * spread**2 * bands.factor(bands.FAMILIES, points.tau) ** 2
    common += weight * (1 - weight) * (bands.DISAGREEMENT * (by_families - by_trend)) ** 2
    local = (1 - weight) * var
    return ScaledForecast(
        centre=(1 - weight) * by_trend + weight * by_families,
        worse=np.sqrt(local * bands.factor(bands.TREND_WORSE, points.tau) ** 2 + common),
        better=np.sqrt(local * bands.factor(bands.TREND_BETTER, points.tau) ** 2 + common),
    )


def _bent(spread: Array) -> Array:
    """A standard deviation in z [...]: beyond 1 it grows like its logarithm.

    Spread times slope is that of a straight line. Near the end of a space the line leaves it, where z bends away.
    """
    return np.where(spread > 1, 1 + np.log(np.maximum(spread, 1.0)), spread)


@dataclass(frozen=True, kw_only=True)
class _Rough:
    """The local trend in z with its variance [k, m], and the grid's families."""

    trend: Array
    variance: Array
    fit: families.Average


def _rough(points: CurveBatch, space: Transform) -> _Rough:
    z = space.z(points.y)
    rise, var = trend.follow(points.t, z - z[:, -1:], trend.window(points.t, points.weight), points.tau)
    fit = families.average(points.t, points.y, _weight(points, space), points.tau)
    return _Rough(trend=z[:, -1:] + rise, variance=np.broadcast_to(var, rise.shape), fit=fit)


def _weight(points: CurveBatch, space: Transform) -> Array:
    return points.weight / points.y**2 if space.relative else points.weight  # y comes in units of its median


def _trusted(points: CurveBatch, space: Transform, fit: families.Average) -> tuple[families.Average, Array]:
    """The families' average and how far it is trusted [k, 1]; smooth curves that the grid misses are fitted again."""
    trust = gate.trust(_ratio(points, fit, space))
    again = (trust == 0) & refined.is_smooth(points.y, points.present)
    if again.any():
        part = points.of(again)
        better = refined.average(part.t, part.y, np.broadcast_to(_weight(part, space), part.y.shape), part.tau)
        exact = refined.is_exact(part.y, better.fitted, part.present)
        trust[again] = gate.trust(np.where(exact, 2.0, _ratio(part, better, space)), gate.MOST_REFINED)
        fit = fit.replaced(again, better)
    return fit, trust[:, None]


def _ratio(points: CurveBatch, fit: families.Average, space: Transform) -> Array:
    """Durbin-Watson ratio [k] of the families' residuals, relative ones where the noise is."""
    residual = points.y - fit.fitted
    return gate.durbin_watson(residual / points.y if space.relative else residual, points.present)
