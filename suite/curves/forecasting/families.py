"""Step two of a forecast: the average of five classical families and a constant, each fitted on a grid.

Every family is a + b f(u; one or two non-linear parameters), u = x / x_last. a and b are known in closed form for
every point of the grid, so a fit is a handful of weighted sums; grid points are averaged by their likelihood, with a
penalty for the size of their family. Sources: Viering and Loog, The shape of learning curves: a review, TPAMI 45
(2023), table 1 (pow3, pow4, exp3, wbl4, mmf4).

Shapes: k curves, n points, m targets, g grid points; 1 in place of k where all curves share their resources.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

SHIFTS = np.array([0.0, 0.03, 0.3])  # pow: of x_last
EXPONENTS = np.geomspace(0.05, 3, 18)
WEIBULL_POWERS = np.array([1.0, 0.6, 0.8, 1.3, 1.7, 2.2])  # the first is the exponential
WEIBULL_SCALES = np.geomspace(0.04, 4, 16)  # of x_last
MMF_POWERS = np.array([0.4, 0.6, 0.8, 1.0, 1.3, 1.7, 2.2, 3.0])
MMF_SCALES = np.geomspace(0.005, 4, 14)  # of x_last
FLOOR = 2e-4  # least sd of the residuals
FLAT = 1e-7  # relative variance below which a shape is taken for a constant
PARAMETERS = 3  # that a fit costs, in degrees of freedom

SIZES = np.array(
    [len(EXPONENTS), 2 * len(EXPONENTS), len(WEIBULL_SCALES), 5 * len(WEIBULL_SCALES), 8 * len(MMF_SCALES)]
)
SIMPLER = np.array([0.5, 0.0, 0.5, 0.0, 0.0])  # pow3 and exp3 have a parameter less: half of ln n in their favour


@dataclass(frozen=True, kw_only=True)
class Average:
    """``fitted`` [k, n] and ``predicted`` [k, m] qualities, and the variance of the latter [k, m]."""

    fitted: Array
    predicted: Array
    variance: Array

    def replaced(self, rows: NDArray[np.bool_], other: Average) -> Average:
        """With some of the curves from another average."""
        found = {name: getattr(self, name).copy() for name in ("fitted", "predicted", "variance")}
        for name, values in found.items():
            values[rows] = getattr(other, name)
        return Average(**found)


def joined(parts: Sequence[Average]) -> Average:
    """Averages of some curves after those of others."""
    names = ("fitted", "predicted", "variance")
    return Average(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})


def basis(t: Array) -> Array:
    """The shapes [..., g] at ``t`` doublings from the last resource: pow3, pow4, exp3, wbl4, mmf4; b takes the sign."""
    log_u = np.log(2) * t[..., None]
    out = np.empty((*t.shape, SIZES.sum()))
    blocks = _blocks(out)
    for d in SHIFTS:
        _power(log_u if d == 0 else np.log((np.exp(log_u) + d) / (1 + d)), next(blocks))
    for k in WEIBULL_POWERS:
        _weibull(np.exp(k * log_u), WEIBULL_SCALES**-k, next(blocks))
    for k in MMF_POWERS:
        _mmf(np.exp(k * log_u), MMF_SCALES**-k, next(blocks))
    return out


def _blocks(out: Array) -> Iterator[Array]:
    """Parts of ``out`` [..., g], one for each value of the first non-linear parameter: no copies are made."""
    grids = ((SHIFTS, EXPONENTS), (WEIBULL_POWERS, WEIBULL_SCALES), (MMF_POWERS, MMF_SCALES))
    ends = np.cumsum(np.concatenate([np.full(len(first), len(second)) for first, second in grids]))
    return iter(np.split(out, ends[:-1], axis=-1))


def _power(log_u: Array, out: Array) -> None:
    np.multiply(log_u, -EXPONENTS, out=out)
    np.exp(out, out=out)


def _weibull(power: Array, scale: Array, out: Array) -> None:
    np.multiply(power, -scale, out=out)
    np.exp(out, out=out)


def _mmf(power: Array, scale: Array, out: Array) -> None:
    np.multiply(power, scale, out=out)
    out += 1
    np.reciprocal(out, out=out)


def average(t: Array, y: Array, weight: Array, tau: Array) -> Average:
    """Fit ``y`` [k, n] at ``t`` [k, n] with ``weight`` [k, n], 0 for what is missing; predict at ``tau`` [k, m]."""
    inside, beyond = basis(t), basis(tau)
    total, points = weight.sum(-1, keepdims=True), np.count_nonzero(weight, axis=-1)[:, None]
    fit = _fit(inside, y, weight / total)
    mix = _shares(fit.left, fit.varies, points)
    pull = mix[:, :-1] * fit.slope
    anchor = fit.level - (pull * fit.centre).sum(-1, keepdims=True)
    error = (mix * fit.left).sum(-1, keepdims=True) * total / np.maximum(points - PARAMETERS, 1)
    return Average(
        fitted=anchor + _apply(inside, pull),
        predicted=anchor + _apply(beyond, pull),
        variance=_spread(beyond, mix[:, :-1], fit) + error / weight[:, -1:],
    )


@dataclass(frozen=True, kw_only=True)
class _Fit:
    """y = level + slope (f - centre) per grid point [k, g]; ``left`` [k, g + 1]: mean squares, last the constant's."""

    level: Array
    slope: Array
    centre: Array
    left: Array
    varies: NDArray[np.bool_]


def _fit(inside: Array, y: Array, share: Array) -> _Fit:
    """Least squares of every shape; ``share`` [k, n] are weights that sum to 1."""
    level = (share * y).sum(-1, keepdims=True)
    residual = y - level
    centre, square = _sums(share, inside), _sums(share, inside**2)
    variance, covariance = square - centre**2, _sums(share * residual, inside)
    varies = variance > FLAT * square
    slope = np.where(varies, covariance / np.where(varies, variance, 1.0), 0.0)
    flat = (share * residual**2).sum(-1, keepdims=True)
    left = np.maximum(np.concatenate([flat - slope * covariance, flat], -1), 0.0)
    return _Fit(level=level, slope=slope, centre=centre, left=left, varies=varies)


def _shares(left: Array, varies: NDArray[np.bool_], points: NDArray[np.int_]) -> Array:
    """How much each grid point counts [k, g + 1], the constant last: likelihood, and a penalty for parameters."""
    log_n = np.log(points)
    score = -points / 2 * np.log(left + FLOOR**2)
    score[:, :-1] += np.where(varies, np.repeat(SIMPLER * log_n - np.log(SIZES), SIZES, axis=-1), -np.inf)
    score[:, -1:] += log_n
    share = np.exp(score - score.max(-1, keepdims=True))
    return np.asarray(share / share.sum(-1, keepdims=True))


def _spread(beyond: Array, mix: Array, fit: _Fit) -> Array:
    """Variance [k, m] of the predictions over the grid: the mean square less the squared mean."""
    pull = mix * fit.slope
    mean = _apply(beyond, pull) - (pull * fit.centre).sum(-1, keepdims=True)
    twice, thrice = pull * fit.slope, pull * fit.slope * fit.centre
    square = _apply(beyond**2, twice) - 2 * _apply(beyond, thrice) + (thrice * fit.centre).sum(-1, keepdims=True)
    return np.asarray(np.maximum(square - mean**2, 0.0))


def _sums(weight: Array, columns: Array) -> Array:
    """Weighted sums [k, g] over the points of ``columns`` [k, n, g]; one product of matrices where they are shared."""
    return np.asarray(weight @ columns[0] if len(columns) == 1 else (weight[:, None] @ columns)[:, 0])


def _apply(columns: Array, pull: Array) -> Array:
    """Values [k, n] of ``columns`` [k, n, g] weighted by ``pull`` [k, g]."""
    return np.asarray(pull @ columns[0].T if len(columns) == 1 else (columns @ pull[..., None])[..., 0])
