"""Raw input made ready: points in the order of their resource, each resource once, what is missing at the front.

Shapes: k curves, n points, m targets.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from suite.curves.forecasting.errors import ExtrapolationError

Array = NDArray[np.float64]

LEAST = 4  # points: a family has four parameters
LARGEST = 1e60  # |quality|: squares of ratios stay finite
MATRIX = 2


@dataclass(frozen=True, kw_only=True)
class Tidy:
    """``resource``, ``to`` [k, .] or [1, .] if shared; ``quality`` [k, n], NaN where missing; ``weight`` [k, n]."""

    resource: Array
    quality: Array
    weight: Array
    to: Array

    @property
    def present(self) -> NDArray[np.bool_]:
        """Which points count [k, n]."""
        return self.weight > 0


def tidy(resource: ArrayLike, quality: ArrayLike, to: ArrayLike, weights: ArrayLike | None) -> Tidy:
    """Check and order the points; raises `ExtrapolationError` that names the curve, the value and the remedy."""
    y = _floats("quality", quality)
    many = y.ndim == MATRIX
    if not many and np.isnan(y).any():
        raise ExtrapolationError("quality holds NaN; drop those points, or give a 2-D array, whose NaN are gaps")
    y = _rows("quality", y)
    x, w = _matching("resource", resource, y), _matching("weights", 1.0 if weights is None else weights, y)
    gap = np.isnan(y)
    _check(x, y, w, gap)
    out = _ordered(x, np.where(x == 0, np.nan, y), np.broadcast_to(w, y.shape))
    _enough(out, many=many)
    targets = _matching("to", to, y, points=False)
    _beyond(targets, out.resource[:, -1:])
    return Tidy(resource=out.resource, quality=out.quality, weight=out.weight, to=targets)


def _floats(name: str, values: ArrayLike) -> Array:
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ExtrapolationError(f"{name} must be an array of numbers, rows of the same length: {error}") from None


def _rows(name: str, values: Array) -> Array:
    if values.ndim not in (1, MATRIX) or values.size == 0:
        raise ExtrapolationError(f"{name} must be [n] for one curve or [k, n] for many, got shape {values.shape}")
    return np.atleast_2d(values)


def _matching(name: str, values: ArrayLike, y: Array, *, points: bool = True) -> Array:
    """``values`` as [1, .] if shared or [k, .] if not; as many as there are ``points`` of ``y`` [k, n]."""
    array = _floats(name, values)
    if array.ndim == 0:
        array = np.full(y.shape[-1], array) if points else array[None]
    array = _rows(name, array)
    if array.shape[0] not in (1, len(y)) or (points and array.shape[1] != y.shape[1]):
        raise ExtrapolationError(f"{name} of shape {array.shape} does not go with quality of shape {y.shape}")
    return array


def _check(x: Array, y: Array, w: Array, gap: NDArray[np.bool_]) -> None:
    _refuse("quality must be finite", y, np.isinf(y))
    _refuse(f"quality must be within {LARGEST:g}; choose another unit", y, np.abs(y) > LARGEST)
    _refuse("resources must be finite and not negative", x, ~gap & ~(np.isfinite(x) & (x >= 0)))
    _refuse("weights must be finite and above 0; leave a point out instead", w, ~gap & ~(np.isfinite(w) & (w > 0)))


def _refuse(rule: str, values: Array, wrong: NDArray[np.bool_]) -> None:
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        value = np.broadcast_to(values, wrong.shape)[row, column]
        raise ExtrapolationError(f"{rule}, got {value:g} at point {column} of curve {row}")


def _ordered(x: Array, y: Array, w: Array) -> Tidy:
    shared = len(x) == 1 and not np.isnan(y).any()
    if not shared:
        x = np.broadcast_to(x, y.shape)
    order = np.argsort(np.where(np.isnan(y[: len(x)]), -np.inf, x), axis=-1, kind="stable")
    x, y, w = (np.take_along_axis(part, order, axis=-1) for part in (x, y, w))
    w = np.where(np.isnan(y), 0.0, w)
    x, y, w = _merged(x, y, w)
    mean = w.sum(-1, keepdims=True) / np.maximum(np.count_nonzero(w, axis=-1)[:, None], 1)
    weight = w / np.where(mean > 0, mean, 1.0)
    return Tidy(resource=np.where(weight[: len(x)] > 0, x, x[:, -1:]), quality=y, weight=weight, to=x)


def _merged(x: Array, y: Array, w: Array) -> tuple[Array, Array, Array]:
    """Repeated resources as one point: the weighted mean of their qualities, which has the sum of their weights.

    Every run of equal resources ends in the mean; the points before become gaps and move to the front.
    """
    again = np.zeros(x.shape, dtype=bool)
    again[:, :-1] = (x[:, 1:] == x[:, :-1]) & (w[: len(x), :-1] > 0)
    if not again.any():
        return x, y, w
    x, again = np.broadcast_to(x, y.shape), np.broadcast_to(again, y.shape)
    total, gathered = w.copy(), np.where(w > 0, w * y, 0.0)
    for column in range(1, y.shape[-1]):
        total[:, column] += np.where(again[:, column - 1], total[:, column - 1], 0.0)
        gathered[:, column] += np.where(again[:, column - 1], gathered[:, column - 1], 0.0)
    kept = ~again & (w > 0)
    y = np.where(kept, gathered / np.where(kept, total, 1.0), np.nan)
    order = np.argsort(kept, axis=-1, kind="stable")
    parts = (np.take_along_axis(part, order, axis=-1) for part in (x, y, np.where(kept, total, 0.0)))
    return tuple(parts)  # type: ignore[return-value]


def _enough(points: Tidy, *, many: bool) -> None:
    count = np.count_nonzero(points.present, axis=-1)
    if (count < LEAST).any():
        row = int(np.argmin(count))
        name = f"curve {row} has" if many else "the curve has"
        raise ExtrapolationError(
            f"{name} {count[row]} different resources above 0; a forecast needs at least {LEAST}, better 12"
        )


def _beyond(to: Array, last: Array) -> None:
    wrong = ~(np.isfinite(to) & (to > last))
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        got, end = np.broadcast_to(to, wrong.shape)[row, column], np.broadcast_to(last, wrong.shape)[row, column]
        raise ExtrapolationError(
            f"targets must be beyond the last resource ({end:g}), got {got:g}; fit a curve to interpolate"
        )
