"""Families fitted by a full search, for smooth curves: the residuals of a grid are shape there, not noise.

On a curve with little noise the grid's steps are larger than the noise. Its residuals are correlated, so no family is
accepted, even if one of them is exact. Such curves are fitted again, from the best of a coarse grid by
Levenberg-Marquardt, and a Gompertz joins the families. Shapes: k curves, n points, m targets, q non-linear parameters.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from suite.curves.families import family
from suite.curves.fitting.scales import Scales
from suite.curves.fitting.search import Problem, searched, sloped
from suite.curves.forecasting.behaviour import SECOND_TO_SD, span
from suite.curves.forecasting.families import Average

Array = NDArray[np.float64]

NAMES = ("exp3", "pow3", "pow4", "mmf4", "wbl4", "gompertz")
SMOOTH = 0.01  # of its range: a curve with less local noise than that is smooth
COARSE = {1: 12, 2: 6}  # candidates of a parameter, by how many there are
STILL, STEPS = 1e-8, 12  # a search ends after a step that brings no more than that, or so many
FIRST = 2.0**-6  # of the last resource: where the coarse grid begins
EXACT = 1e-4  # of the range: residuals that small are rounding and the search's end, and say nothing


def is_smooth(y: Array, present: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which curves ``y`` [k, n] have little local noise, by their second differences, for their range."""
    three = present[:, 2:] & present[:, 1:-1] & present[:, :-2]
    second = np.where(three, np.abs(np.diff(y, 2, axis=-1)), np.nan)
    enough = three.sum(-1) > max(COARSE.values())
    noise = np.full(len(y), np.inf)
    noise[enough] = SECOND_TO_SD * np.nanmedian(second[enough], axis=-1)
    return np.asarray(noise < SMOOTH * span(y, present))


def is_exact(y: Array, fitted: Array, present: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which curves [k] a fit meets up to rounding."""
    missed = np.sqrt(np.where(present, (y - fitted) ** 2, 0.0).sum(-1) / np.maximum(present.sum(-1), 1))
    return np.asarray(missed <= EXACT * span(y, present))


def average(t: Array, y: Array, weight: Array, tau: Array) -> Average:
    """Fit ``y`` [k, n] at ``t`` doublings [k, n] with ``weight`` [k, n], 0 for what is missing; predict at ``tau``."""
    weight = weight / weight[:, -1:]  # only their ratio matters
    fits = [_fit(name, t, y, weight, tau) for name in NAMES]
    points = np.count_nonzero(weight, axis=-1)
    share = _shares(fits, points, span(y, weight > 0))
    fitted, predicted, variance = (
        np.einsum("fk,fkm->km", share, np.stack([getattr(fit, what) for fit in fits]))
        for what in ("fitted", "predicted", "variance")
    )
    apart = np.stack([fit.predicted for fit in fits]) - predicted
    return Average(fitted=fitted, predicted=predicted, variance=variance + np.einsum("fk,fkm->km", share, apart**2))


@dataclass(frozen=True, kw_only=True)
class _One:
    """One family's fit: ``fitted`` [k, n], ``predicted`` [k, m] with its ``variance``, mean square ``left`` [k]."""

    fitted: Array
    predicted: Array
    variance: Array
    left: Array
    parameters: int


def _fit(name: str, t: Array, y: Array, weight: Array, tau: Array) -> _One:
    chosen, root = family(name), np.sqrt(weight)
    problem = Problem(chosen, _scales(name), 2.0**t, y, root)
    u = searched(problem, starts=1, still=STILL, most=STEPS)
    left, slopes = sloped(problem, u)
    count = len(chosen.parameters())
    noise = np.einsum("kn,kn->k", left, left) / np.maximum(np.count_nonzero(weight, axis=-1) - count, 1)
    coefficients, _ = problem.residuals(u)
    beyond = replace(problem, resource=2.0**tau)
    return _One(
        fitted=y - left / np.where(root > 0, root, np.inf),
        predicted=_values(beyond, u, coefficients),
        variance=noise[:, None] * (_spread(problem, beyond, u, slopes) + 1.0),
        left=np.einsum("kn,kn->k", left, left) / weight.sum(-1),
        parameters=count,
    )


@cache
def _scales(name: str) -> Scales:
    """The family's search with a coarse grid, for resources as shares of the last."""
    scales = Scales.of(family(name), np.geomspace(FIRST, 1.0, 10))
    axes = [np.unique(scales.candidates[:, j]) for j in range(len(scales.names))]
    count = COARSE[len(axes)]
    thinned = [axis[np.linspace(0, len(axis) - 1, count).round().astype(int)] for axis in axes]
    return replace(scales, candidates=np.stack(np.meshgrid(*thinned), axis=-1).reshape(-1, len(axes)))


def _values(problem: Problem, u: Array, coefficients: Array) -> Array:
    """Values [..., k, m] at the problem's resources."""
    shapes = problem.family.shapes(problem.resource, **problem.scales.natural(u))
    return np.asarray(np.einsum("...kml,...kl->...km", shapes, coefficients))


def _spread(problem: Problem, beyond: Problem, u: Array, slopes: Array) -> Array:
    """Variance of the predictions [k, m] for noise of 1: through the non-linear and through the linear parameters.

    Variable projection keeps the two apart: the residuals' slopes are orthogonal to the linear columns.
    """
    count = u.shape[-1]
    step = 1e-4 * np.eye(count)[:, None, :]
    ahead, behind = (_values(beyond, v, problem.residuals(v)[0]) for v in (u + step, u - step))
    change = np.nan_to_num((ahead - behind) / 2e-4)  # [q, k, m]
    inverse = _inverse(np.einsum("ikn,jkn->kij", slopes, slopes))
    by_shape = np.einsum("ikm,kij,jkm->km", change, inverse, change)
    columns = problem.family.shapes(problem.resource, **problem.scales.natural(u)) * problem.root_weight[..., None]
    beyond_columns = beyond.family.shapes(beyond.resource, **beyond.scales.natural(u))
    flat = _inverse(np.einsum("kni,knj->kij", columns, columns))
    return np.asarray(by_shape + np.einsum("kmi,kij,kmj->km", beyond_columns, flat, beyond_columns))


def _inverse(square: Array) -> Array:
    """Of positive matrices [k, q, q], scaled to a unit diagonal; what is singular is large and not infinite."""
    diagonal = np.einsum("kii->ki", square)
    scale = np.sqrt(np.maximum(diagonal, 1e-12 * diagonal.max(axis=-1, keepdims=True) + 1e-100))
    scaled = square / (scale[:, :, None] * scale[:, None, :]) + 1e-10 * np.eye(square.shape[-1])
    return np.asarray(np.linalg.inv(scaled) / (scale[:, :, None] * scale[:, None, :]))


def _shares(fits: list[_One], points: NDArray[np.int_], span: Array) -> Array:
    """How much each family counts [f, k], by Akaike's criterion for few points."""
    floor = (EXACT * span + np.finfo(float).tiny) ** 2
    scores = []
    for fit in fits:
        k = fit.parameters + 1
        few = 2 * k * (k + 1) / np.maximum(points - k - 1, 1)
        scores.append(points * np.log(fit.left + floor) + 2 * k + few)
    score = np.stack(scores)
    share = np.exp(-(score - score.min(axis=0)) / 2)
    return np.asarray(share / share.sum(axis=0))
