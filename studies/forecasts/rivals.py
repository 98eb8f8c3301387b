"""What a forecast has to beat: a single classical family, fitted by least squares, and the last value.

Each family is a + b f(x; one or two non-linear parameters). a and b are solved for at every start, the starts are a
grid, and the best of them are refined on ever finer grids around them. Source of the families: Viering and Loog, The
shape of learning curves: a review, TPAMI 45 (2023), table 1. Shapes: k curves, n points, m targets, g grid points.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

STARTS = 3  # of the grid are refined
ROUNDS = 40  # of refinement
CHUNK = 64  # curves at a time
FLAT = 1e-10  # relative variance of a shape that is no shape


@dataclass(frozen=True, kw_only=True)
class Rival:
    """``shape(log_u [k, n, 1], p, q)`` with u = x / x_last, and even grids of p and q, mostly logarithms."""

    shape: Callable[[Array, Array, Array], Array]
    p: Array
    q: Array


def _power(log_u: Array, p: Array, q: Array) -> Array:
    return np.asarray(-np.exp(-np.exp(p) * (np.logaddexp(log_u, q) - np.logaddexp(0.0, q))))


def _pow3(log_u: Array, p: Array, q: Array) -> Array:
    return np.asarray(-np.exp(-np.exp(p) * log_u) + 0 * q)


def _weibull(log_u: Array, p: Array, q: Array) -> Array:
    return np.asarray(-np.exp(-np.exp(np.minimum(np.exp(p) * (log_u - q), 50.0))))


def _mmf(log_u: Array, p: Array, q: Array) -> Array:
    return np.asarray(-1 / (1 + np.exp(np.minimum(np.exp(p) * (log_u - q), 300.0))))


NONE = np.zeros(1)
EXPONENTS = np.log(np.geomspace(0.03, 3, 12))
POWERS = np.log(np.geomspace(0.25, 4, 9))
SCALES = np.log(np.geomspace(1e-3, 30, 13))  # of x_last

RIVALS = {
    "pow3": Rival(shape=_pow3, p=EXPONENTS, q=NONE),
    "pow4": Rival(shape=_power, p=EXPONENTS, q=SCALES),
    "exp3": Rival(shape=_weibull, p=NONE, q=SCALES),
    "mmf4": Rival(shape=_mmf, p=POWERS, q=SCALES),
    "wbl4": Rival(shape=_weibull, p=POWERS, q=SCALES),
}


FAMILIES = (*RIVALS, "log", "ilog")


def predict(family: str, x: Array, y: Array, to: Array) -> Array:
    """The least-squares curve of ``family`` at ``to`` [k, m]; points whose ``y`` [k, n] is missing do not count.

    ``x`` [k, n] ends with the last point of each curve, which is always there.
    """
    parts = [slice(start, start + CHUNK) for start in range(0, len(x), CHUNK)]
    method = {"log": _log, "ilog": _ilog}.get(family)
    if method is not None:
        return np.concatenate([_line(method(x[p]), y[p], method(to[p])) for p in parts])
    rival = RIVALS[family]
    return np.concatenate([_best(rival, x[p], y[p], to[p]) for p in parts])


def _log(x: Array) -> Array:
    return np.asarray(np.log(x))


def _ilog(x: Array) -> Array:
    return np.asarray(-1 / np.log(x))


def _line(column: Array, y: Array, beyond: Array) -> Array:
    _, level, slope, centre = _solve(column[..., None], y)
    return np.asarray(level + slope * (beyond - centre))


def _best(rival: Rival, x: Array, y: Array, to: Array) -> Array:
    log_u, tau = np.log(x / x[:, -1:])[..., None], np.log(to / x[:, -1:])[..., None]
    p, q = _refined(rival, log_u, y)
    _, level, slope, centre = _solve(rival.shape(log_u, p[:, None], q[:, None]), y)
    best = level + slope * (rival.shape(tau, p[:, None], q[:, None])[..., 0] - centre)
    return np.asarray(best)


def _refined(rival: Rival, log_u: Array, y: Array) -> tuple[Array, Array]:
    """The best p and q [k, 1]."""
    p, q = (part.ravel() for part in np.meshgrid(rival.p, rival.q, indexing="ij"))
    left = _solve(rival.shape(log_u, p, q), y)[0]
    order = np.argsort(left, axis=-1)[:, :STARTS]
    found = [_zoomed(rival, log_u, y, p[start], q[start]) for start in order.T]
    winner = np.argmin([left for left, _, _ in found], axis=0)
    each = np.arange(len(y))
    return tuple(np.array([start[i] for start in found])[winner, each][:, None] for i in (1, 2))


def _zoomed(rival: Rival, log_u: Array, y: Array, p: Array, q: Array) -> tuple[Array, Array, Array]:
    """Search around p, q [k] on grids of five by five; the step halves if the middle is best.

    Gives mean squares, p and q.
    """
    each, size = np.arange(len(y)), np.ones(len(y))
    best = np.full(len(y), np.inf)
    step_p, step_q = _steps(rival)
    for _ in range(ROUNDS):
        near_p = _within(rival.p, p[:, None] + size[:, None] * step_p)
        near_q = _within(rival.q, q[:, None] + size[:, None] * step_q)
        left = _solve(rival.shape(log_u, near_p[:, None], near_q[:, None]), y)[0]
        at = np.argmin(left, axis=-1)
        best, p, q = left[each, at], near_p[each, at], near_q[each, at]
        size = np.where(at == 0, size / 2, size)
    return best, p, q


def _within(grid: Array, values: Array) -> Array:
    """``values`` kept near the grid of starts: beyond, shapes are no longer told apart and powers overflow."""
    margin = np.ptp(grid) / 4
    return np.clip(values, grid.min() - margin, grid.max() + margin)


def _steps(rival: Rival) -> tuple[Array, Array]:
    """Offsets [25] of p and q, the middle first, in steps of the grid of starts."""
    offsets = np.array([0.0, -1.0, -0.5, 0.5, 1.0])
    size_p, size_q = (np.ptp(grid) / max(len(grid) - 1, 1) for grid in (rival.p, rival.q))
    p, q = np.meshgrid(offsets * size_p, offsets * size_q, indexing="ij")
    return p.ravel(), q.ravel()


def _solve(columns: Array, y: Array) -> tuple[Array, Array, Array, Array]:
    """Mean squares, level, slope and centre [k, g] of y [k, n] = level + slope (columns [k, n, g] - centre)."""
    share = np.isfinite(y) / np.isfinite(y).sum(-1, keepdims=True)
    y = np.where(share > 0, y, 0.0)
    level = (share * y).sum(-1, keepdims=True)
    centre = (share[:, None] @ columns)[:, 0]
    deviation = columns - centre[:, None]
    variance = (share[:, None] @ deviation**2)[:, 0]
    covariance = ((share * (y - level))[:, None] @ columns)[:, 0]
    varies = variance > FLAT * (variance + centre**2)
    slope = np.where(varies, covariance / np.where(varies, variance, 1.0), 0.0)
    left = (share * (y - level) ** 2).sum(-1, keepdims=True) - slope * covariance
    return left, level, slope, centre
