"""Forecasts of learning curves: the quality with more of the resource, with an interval.

A forecast averages decaying local trends per doubling in logit or log space. Classical families join them if their
residuals are independent. The intervals are as wide as the errors of forecasts on LCDB 1.1 (Yan et al., 2025).

The kind of a curve, if it is not given, follows from its values. The direction comes first. It is ``"lower"`` if the
median of the last third of the points is below that of the first third, else ``"higher"``. Within [0, 1] the medians
must differ by at least a quarter of the range. A curve that rises within [0, 1] is an accuracy. A positive curve that
falls is a loss; so is an error rate, unless it reaches 0, which makes it bounded. Every other curve is unbounded.

A forecast abstains, with a reason, in these cases: the curve clearly fell in its last five doublings; its last point
jumps; it has fewer than 6 points or spans less than a doubling; a target is more than 5 doublings away; or the interval
(at 90 %) is too wide. Too wide means wider than all measured values, and than half of the range of an accuracy or of a
loss's median. Falls of 0.3 of the curve's range and 5 standard deviations of its noise are mostly detected, smaller
ones less often (see `studies.forecasts`). A constant curve is forecast to stay, with the method's least interval.

    >>> forecast = extrapolate([100, 200, 400, 800, 1600, 3200], [0.6, 0.68, 0.74, 0.78, 0.81, 0.83], to=[6400, 12800])
    >>> forecast.mean, forecast.low, forecast.high

Shapes: k curves, n points, m targets.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from suite.curves.forecasting import bands, behaviour, core
from suite.curves.forecasting.errors import ExtrapolationError
from suite.curves.forecasting.kinds import Kind, check, kinds
from suite.curves.forecasting.tidy import LARGEST, Tidy, tidy
from suite.curves.forecasting.transform import SPACES

Array = NDArray[np.float64]

CHUNK = 1024  # curves at a time
FEW = 6  # points; with fewer, the noise of a curve cannot be estimated
SHORT = 1.0  # doublings; with less, its trend cannot be estimated
TINY = 1e-30  # of its median: the lower limit of a loss, so that its relative weight stays finite
SMALLEST = 1e-250  # unit
LIMIT = 60.0  # doublings to either side; larger ones are clipped, so that powers stay finite
FAR = 5.0  # doublings beyond the last point: intervals were checked to 4
WIDE = "the interval is wider than the range of all measured values"


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """Predictions at ``to``: [m] for one curve, [k, m] for many.

    ``low`` to ``high`` covers the quality at each target with probability ``level``, target by target, not jointly.
    ``last`` is the competitor: the last value repeated. ``abstained`` says why the forecast is unreliable, or is None;
    a tuple [k] of these for many curves. The arrays hold the computed values in either case, never NaN.
    """

    mean: Array
    low: Array
    high: Array
    level: float
    to: Array
    last: Array
    abstained: str | tuple[str | None, ...] | None


def extrapolate(
    resource: ArrayLike,
    quality: ArrayLike,
    *,
    to: ArrayLike,
    level: float = 0.90,
    kind: str | None = None,
    better: str | None = None,
    weights: ArrayLike | None = None,
    annealed: bool = True,
) -> Forecast:
    """Forecast ``quality`` [n] or [k, n] of ``resource`` [n] (shared) or [k, n] at resources ``to`` [m] or [k, m].

    Points may come in any order. Repeated resources count as one point: the weighted mean of the qualities. Points at
    resource 0 (before training) are ignored. NaN in a 2-D ``quality`` is a gap. Targets are beyond the last resource of
    every curve. The module's docstring has the method, and says when a forecast abstains.

    Args:
        kind: ``"accuracy"`` (bounded in [0, 1]; an error rate with ``better="lower"``), ``"loss"`` (positive, better
            when lower) or ``"unbounded"``; ``None`` or ``"auto"`` derives it from each curve's values.
        better: ``"higher"`` or ``"lower"``. Give it if a curve may have gone the wrong way.
        weights: [n] or [k, n], relative: numbers of repetitions, or inverse variances.
        annealed: Each point is the end of a separate training with an annealed learning rate. If false, the points are
            the log of one training at a constant rate, and intervals are wider (see `before_cooldown`).

    Raises `ExtrapolationError` for any other input that it cannot use.
    """
    level = _checked(level)
    points = tidy(resource, quality, to, weights)
    of = kinds(points.quality, kind, better)
    mean, low, high = (np.empty((len(of), points.to.shape[-1])) for _ in range(3))
    reasons: list[str | None] = [None] * len(of)
    for kind_of_part, part in _parts(of):
        mean[part], low[part], high[part], abstained = _part(points, part, kind_of_part, level, annealed=annealed)
        for row, reason in zip(part, abstained, strict=True):
            reasons[row] = reason
    return _packed(points, (mean, low, high), level, reasons, many=np.ndim(quality) > 1)


def _parts(of: Sequence[Kind]) -> Iterator[tuple[Kind, NDArray[np.int_]]]:
    """The rows of each kind, at most `CHUNK` at a time."""
    for kind in dict.fromkeys(of):
        rows = np.array([row for row, other in enumerate(of) if other == kind])
        for part in np.split(rows, range(CHUNK, len(rows), CHUNK)):
            yield kind, part


def _checked(level: float) -> float:
    if not isinstance(level, float) or not 0 < level < 1:
        raise ExtrapolationError(f"level must be a number between 0 and 1, both excluded, got {level!r}")
    return float(level)


def _packed(
    points: Tidy, arrays: tuple[Array, Array, Array], level: float, reasons: list[str | None], *, many: bool
) -> Forecast:
    mean, low, high = arrays
    to = np.broadcast_to(points.to, mean.shape).copy()
    last = np.repeat(points.quality[:, -1:], mean.shape[-1], axis=-1)
    if many:
        return Forecast(mean=mean, low=low, high=high, level=level, to=to, last=last, abstained=tuple(reasons))
    return Forecast(mean=mean[0], low=low[0], high=high[0], level=level, to=to[0], last=last[0], abstained=reasons[0])


def _part(
    points: Tidy, rows: NDArray[np.int_], kind: Kind, level: float, *, annealed: bool
) -> tuple[Array, Array, Array, list[str | None]]:
    """Mean, low and high [k, m] and the reasons of some curves of one kind."""
    chosen, unit = _chosen(points, rows, kind)
    wider = 1.0 if annealed else bands.LOG[kind.space]
    mean, worse, better, excess = core.forecast(chosen, kind.space, level, wider)
    mean, worse, better = (kind.turned(part * unit) for part in (mean, worse, better))
    low, high = np.minimum(worse, better), np.maximum(worse, better)
    return mean, low, high, _reasons(chosen, kind, excess)


def _chosen(points: Tidy, rows: NDArray[np.int_], kind: Kind) -> tuple[core.CurveBatch, Array]:
    """Curves in the direction and unit [k, 1] of their space; gaps hold the last value, with weight 0."""
    y, weight = points.quality[rows], points.weight[rows]
    for row, values in zip(rows, y, strict=True):
        check(values[np.isfinite(values)], kind, f"curve {row}: " if len(points.quality) > 1 else "")
    y = np.where(weight > 0, kind.turned(y), kind.turned(y[:, -1:]))
    unit = np.ones((len(rows), 1)) if kind.space == "accuracy" else _unit(y, weight)
    x, to = (part if len(part) == 1 else part[rows] for part in (points.resource, points.to))
    t, tau = (np.clip(np.log2(part) - np.log2(x[:, -1:]), -LIMIT, LIMIT) for part in (x, to))
    y = np.maximum(y / unit, TINY) if kind.space == "loss" else y / unit
    return core.CurveBatch(t=t, y=y, weight=weight, tau=tau), unit


def _unit(y: Array, weight: Array) -> Array:
    """The median size of each curve's values [k, 1]."""
    size = np.abs(y)
    largest = size.max(-1, keepdims=True)
    count = np.count_nonzero(weight, axis=-1)[:, None]
    ordered = np.sort(np.where(weight > 0, size, np.inf), axis=-1)
    middle = (np.take_along_axis(ordered, part, axis=-1) / 2 for part in ((count - 1) // 2, count // 2))
    return np.asarray(np.maximum(np.maximum(sum(middle), largest / LARGEST), SMALLEST))


def _reasons(chosen: core.CurveBatch, kind: Kind, excess: Array) -> list[str | None]:
    rising = chosen.y if kind.space == "accuracy" else SPACES[kind.space].z(chosen.y)
    present, shape = chosen.present, chosen.y.shape[:1]
    count, span = np.count_nonzero(present, axis=-1), -np.where(present, chosen.t, 0.0).min(-1)
    worse = "risen" if kind.better == "lower" else "fallen"
    cases = {
        f"too few points: fewer than {FEW} different resources": count < FEW,
        "too short: the resources span less than one doubling": span < SHORT,
        f"the quality has {worse} by more than its noise in the last five doublings": behaviour.falls(
            chosen.t, rising, present
        ),
        "the last point jumps away from those before it": behaviour.jumps(rising, present),
        f"a target is more than {FAR:g} doublings beyond the last resource": chosen.tau.max(-1) > FAR,
        WIDE: (excess > 1).any(-1),
    }
    flags = [np.broadcast_to(flag, shape) for flag in cases.values()]
    return [
        next((reason for reason, flag in zip(cases, flags, strict=True) if flag[row]), None) for row in range(*shape)
    ]
