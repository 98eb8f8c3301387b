"""Huber's estimate, and when it is called for: points so far off that least squares would follow them.

Huber, Robust estimation of a location parameter (1964).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from suite.curves.families.curve import Array
from suite.curves.fitting.search import Problem, descended

HUBER = 1.345  # robust standard deviations: 95 % efficiency where the noise is Gaussian
MAD = 1.4826  # a Gaussian's standard deviation over its median absolute deviation
OUTLYING = 5.0  # robust standard deviations; of 10,000 Gaussian points 0.006 lie beyond
LEAST_LEFT = 5  # points more than parameters: with fewer the middle residual says nothing of the noise
ROUNDS = 30
SETTLED = 1e-4  # change of a weight from which on reweighting goes on; it shrinks the parameters' far more
STILL = 1e-7


def scale(residuals: Array, parameters: int) -> float:
    """A robust standard deviation of residuals [n], which the ``parameters`` of the fit made smaller."""
    n = len(residuals)
    middle = np.sort(np.abs(residuals))[max(0, (n + parameters - 1) // 2)]  # a fit passes through as many points
    return float(MAD * middle)


def huber(problem: Problem, u: Array, parameters: int) -> tuple[Array, Array]:
    """Huber's estimate of one curve from ``u`` [1, q]: the parameters [1, q] and the points' weights [n].

    Reweighted least squares; the scale is estimated anew in each round.
    """
    weight = np.ones(problem.quality.shape[-1])
    for _ in range(ROUNDS):
        left = _unweighted(problem, u, weight)
        spread = scale(left, parameters)
        if spread == 0:
            break
        found = np.minimum(1.0, HUBER * spread / np.maximum(np.abs(left), np.finfo(float).tiny))
        u, _ = descended(problem.weighted(found), u, still=STILL)
        change, weight = np.max(np.abs(found - weight)), found
        if change < SETTLED:
            break
    return descended(problem.weighted(weight), u)[0], weight


def outliers(problem: Problem, u: Array, weight: Array, parameters: int) -> NDArray[np.bool_]:
    """Which points [n] lie far off Huber's estimate; none where there are too few points to tell."""
    left = _unweighted(problem, u, weight)
    if len(left) < parameters + LEAST_LEFT:
        return np.zeros(len(left), dtype=bool)
    floor = 1e-9 * float(np.max(np.abs(problem.quality * problem.root_weight), initial=0.0))
    return np.asarray(np.abs(left) > OUTLYING * max(scale(left, parameters), floor))


def _unweighted(problem: Problem, u: Array, weight: Array) -> Array:
    """Residuals [n] of the weighted estimate in units of sigma, the weights taken out again."""
    _, left = problem.weighted(weight).residuals(u)
    return np.asarray(left[0] / np.sqrt(weight))
