"""Global least squares of a family over many curves at once: a grid of starts, then Levenberg-Marquardt from the best.

Shapes: k curves, n points, q non-linear and l linear parameters, s starts. Weights [k, n] multiply squared residuals.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from suite.curves.families.curve import Array, Curve
from suite.curves.fitting.projection import project
from suite.curves.fitting.scales import Scales

Positions = NDArray[np.intp]

STEP = 1e-6  # of central differences, in search coordinates
ITERATIONS = 60
GRID_NUMBERS = 4_000_000  # a block of the grid holds about so many numbers at once
DAMPED = (1e-3, 1e-12, 1e12)  # Levenberg-Marquardt's damping: first, least and largest
STILL = 1e-13  # relative decrease of the sum of squares below which a step brought nothing


@dataclass(frozen=True)
class Problem:
    """k weighted curves and the family they are fitted with; ``resource`` [1, n] where they share it, else [k, n]."""

    family: type[Curve]
    scales: Scales
    resource: Array
    quality: Array
    root_weight: Array
    """Square roots of the weights [k, n]."""
    held: tuple[str, float] | None = None
    """A parameter that stays at a value while the others are searched."""

    def of(self, rows: Positions) -> Problem:
        """Some of the curves."""
        resource = self.resource if len(self.resource) == 1 else self.resource[rows]
        return replace(self, resource=resource, quality=self.quality[rows], root_weight=self.root_weight[rows])

    def weighted(self, weight: Array) -> Problem:
        """With further weights [n] or [k, n] on the points."""
        return replace(self, root_weight=self.root_weight * np.sqrt(weight))

    def holding(self, name: str, value: float) -> Problem:
        """With one parameter at a value."""
        return replace(self, scales=self.scales.without(name), held=(name, value))

    def residuals(self, u: Array) -> tuple[Array, Array]:
        """Linear coefficients [..., k, l] and weighted residuals [..., k, n] at ``u`` [..., k, q]."""
        shapes, target = self._columns(self.scales.natural(u))
        return project(shapes * self.root_weight[..., None], target * self.root_weight)

    def _columns(self, nonlinear: dict[str, Array]) -> tuple[Array, Array]:
        """The columns with free coefficients [..., k, n, l], and the sum that they must give [..., k, n]."""
        name, value = self.held or ("", 0.0)
        if name in self.family.nonlinear():
            nonlinear = nonlinear | {name: np.array([[value]])}
        shapes = self.family.shapes(self.resource, **nonlinear)
        if name not in self.family.linear:
            return shapes, self.quality
        j = self.family.linear.index(name)
        return np.delete(shapes, j, axis=-1), self.quality - value * shapes[..., j]


def searched(problem: Problem, *, starts: int, still: float = STILL, most: int = ITERATIONS) -> Array:
    """The best non-linear parameters [k, q] found from each curve's ``starts`` best candidates."""
    if not problem.scales.names:
        return np.zeros((len(problem.quality), 0))
    begun = problem.scales.candidates[_best_candidates(problem, starts)]  # [k, s, q]
    count = begun.shape[1]
    repeated = problem.of(np.repeat(np.arange(len(problem.quality)), count))
    ended, squares = descended(repeated, begun.reshape(-1, begun.shape[-1]), still=still, most=most)
    best = np.argmin(squares.reshape(-1, count), axis=1)
    return np.asarray(ended.reshape(*begun.shape)[np.arange(len(best)), best])


def _best_candidates(problem: Problem, starts: int) -> Positions:
    """Indices [k, s] of the candidates with the least sum of squares."""
    candidates = problem.scales.candidates
    squares = np.empty((len(problem.quality), len(candidates)))
    block = max(1, GRID_NUMBERS // (problem.quality.shape[-1] * len(candidates)))
    for first in range(0, len(squares), block):
        rows = np.arange(first, min(first + block, len(squares)))
        squares[rows] = _grid_squares(problem.of(rows), candidates)
    squares[~np.isfinite(squares)] = np.inf
    count = min(starts, len(candidates))
    return (
        np.argsort(squares, axis=1, kind="stable")[:, :count] if count == len(candidates) else _spread(squares, count)
    )


def _spread(squares: Array, count: int) -> Positions:
    """The best candidates, at most every other one a neighbour of a better: they would end in the same minimum."""
    order = (
        np.argpartition(squares, 2 * count - 1, axis=1)[:, : 2 * count]
        if 2 * count <= squares.shape[1]
        else (np.argsort(squares, axis=1))
    )
    ranked = np.take_along_axis(order, np.argsort(np.take_along_axis(squares, order, axis=1), axis=1), axis=1)
    return np.concatenate([ranked[:, :1], ranked[:, 2::2]], axis=1)[:, :count]


def _grid_squares(problem: Problem, candidates: Array) -> Array:
    """Sums of squares [k, s]; one basis for all curves where they share resources and weights."""
    u = candidates[:, None, :]  # [s, 1, q] against [k, n]
    if len(problem.resource) == 1 and np.all(problem.root_weight == problem.root_weight[:1]):
        one = problem.of(np.array([0]))
        return _shared_squares(one, u, problem.quality * problem.root_weight)
    _, left = problem.residuals(np.broadcast_to(u, (len(candidates), len(problem.quality), u.shape[-1])))
    return np.asarray(np.einsum("skn,skn->ks", left, left))


def _shared_squares(one: Problem, u: Array, target: Array) -> Array:
    """Sums of squares [k, s] of ``target`` [k, n] by one orthonormal basis a candidate."""
    shapes = one.family.shapes(one.resource, **one.scales.natural(u)) * one.root_weight[..., None]  # [s, 1, n, l]
    shapes = np.where(np.isfinite(shapes), shapes, 0.0)[:, 0]
    basis, _ = np.linalg.qr(shapes)  # [s, n, l]
    parts = np.einsum("snl,kn->ksl", basis, target, optimize=True)
    return np.asarray(np.sum(target**2, axis=1)[:, None] - np.sum(parts**2, axis=-1))


def descended(problem: Problem, u: Array, *, still: float = STILL, most: int = ITERATIONS) -> tuple[Array, Array]:
    """Levenberg-Marquardt from ``u`` [k, q]: where it ends [k, q] and the sums of squares [k] there.

    A curve is done when a step makes its sum of squares smaller by at most a share ``still``, or after ``most`` steps.
    """
    u = problem.scales.held(u)
    squares = _squares(problem, u)
    damping = np.full(len(u), DAMPED[0])
    active = np.arange(len(u) if problem.scales.names else 0)
    for _ in range(most):
        if not len(active):
            break
        active = _stepped(problem, u, squares, damping, active, still)
    return u, squares


def _stepped(  # noqa: PLR0917  # the state of one search
    problem: Problem, u: Array, squares: Array, damping: Array, active: Positions, still: float
) -> Positions:
    """One step of the ``active`` curves, in place; returns those that go on."""
    part = problem.of(active)
    tried = part.scales.held(u[active] + _step(part, u[active], damping[active]))
    found = _squares(part, tried)
    with np.errstate(invalid="ignore"):  # both may be infinite, which is no gain
        gain = squares[active] - found
    better = gain > 0
    rows = active[better]
    u[rows], squares[rows] = tried[better], found[better]
    damping[active] = np.clip(np.where(better, damping[active] / 8, damping[active] * 10), DAMPED[1], None)
    done = (better & (gain <= still * squares[active])) | (damping[active] > DAMPED[2]) | (squares[active] == 0)
    return np.asarray(active[~done])


def _squares(problem: Problem, u: Array) -> Array:
    _, left = problem.residuals(u)
    found = np.einsum("...n,...n->...", left, left)
    return np.asarray(np.where(np.isfinite(found), found, np.inf))


def _step(problem: Problem, u: Array, damping: Array) -> Array:
    """The damped Gauss-Newton step [k, q] of the projected residuals."""
    left, slopes = sloped(problem, u)
    normal = np.einsum("ikn,jkn->kij", slopes, slopes)
    gradient = np.einsum("ikn,kn->ki", slopes, left)
    diagonal = np.einsum("kii->ki", normal)
    least = 1e-14 * diagonal.max(axis=1, initial=0.0, keepdims=True) + np.finfo(float).tiny
    normal = normal + np.eye(u.shape[-1]) * ((damping[:, None] * diagonal) + least)[:, None, :]
    return np.asarray(-np.linalg.solve(normal, gradient[..., None])[..., 0])


def sloped(problem: Problem, u: Array) -> tuple[Array, Array]:
    """The weighted residuals [k, n] at ``u`` [k, q], and how they change with it [q, k, n], by central differences."""
    count = u.shape[-1]
    moves = np.concatenate([np.zeros((1, count)), STEP * np.eye(count), -STEP * np.eye(count)])[:, None, :]
    _, left = problem.residuals(u + moves)  # [1 + 2q, k, n]
    slopes = (left[1 : count + 1] - left[count + 1 :]) / (2 * STEP)
    return np.nan_to_num(left[0]), np.nan_to_num(slopes)
