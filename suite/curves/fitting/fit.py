"""Fits one family of curves to measured points: a global search, robust to outliers, with uncertainty."""

from __future__ import annotations

from typing import Any, overload

import numpy as np
from numpy.typing import ArrayLike

from suite.core.errors import unknown
from suite.curves.families import family as look_up
from suite.curves.families.curve import Array, Curve, CurveError
from suite.curves.families.loss_law import LossLaw
from suite.curves.fitting import robust
from suite.curves.fitting.loss_law import LawFit, fit_loss_law
from suite.curves.fitting.points import FitError, Points, check_resources, checked, numbers
from suite.curves.fitting.result import Fit, Fits, named
from suite.curves.fitting.scales import Scales
from suite.curves.fitting.search import Problem, searched

LAW = "loss_law"
LOSSES = ("auto", "squares", "huber")
STARTS = 8  # of one curve
STARTS_OF_MANY = 2
STILL_OF_MANY = 1e-10  # at which a search of many curves ends: five digits of the parameters
TOGETHER = 128  # curves: what a step computes then stays in a processor's cache


@overload
def fit(
    resource: ArrayLike, quality: ArrayLike, *, family: type[LossLaw], sigma: None = None, loss: str = "auto"
) -> LawFit: ...
@overload
def fit(
    resource: ArrayLike,
    quality: ArrayLike,
    *,
    family: str | type[Curve],
    sigma: ArrayLike | None = None,
    loss: str = "auto",
) -> Fit: ...
def fit(
    resource: ArrayLike,
    quality: ArrayLike,
    *,
    family: str | type[Curve | LossLaw],
    sigma: ArrayLike | None = None,
    loss: str = "auto",
) -> Fit | LawFit:
    """Fit a family to the points of one curve, in any order; repeated resources are separate measurements.

    Args:
        resource: the amounts spent [n], in R; for the loss law [n, 2], parameters and tokens.
        quality: the qualities reached [n], in Q. Curves [k, n] give the result of `fit_many`.
        family: a name of ``suite.curves.FAMILIES``, or your own class; ``LossLaw`` (or ``loss_law``) gives the result
            of `fit_loss_law`.
        sigma: the known noise of each quality [n] or of all, in Q; it is increased if the residuals are larger.
        loss: ``squares``; ``huber``; ``auto`` uses Huber's if points are more than five robust standard deviations
            off, and least squares otherwise.

    Raises `FitError` for data that cannot be fitted. Many curves at once: `fit_many`.
    """
    if loss not in LOSSES:
        raise unknown("loss", loss, LOSSES)
    if family is LossLaw or family == LAW:
        return _law(resource, quality, sigma)
    chosen = look_up(family)  # type: ignore[arg-type]  # LossLaw has been handled
    if np.ndim(quality) > 1:
        fits: Fit = _many(resource, quality, chosen, given=sigma is not None or loss == "huber")
        return fits
    return _fitted(checked(resource, quality, sigma, chosen), chosen, loss)


def _fitted(points: Points, family: type[Curve], loss: str) -> Fit:
    root = np.ones(len(points)) if points.sigma is None else 1 / points.sigma
    problem = Problem(
        family, Scales.of(family, points.resource), points.resource[None], points.quality[None], root[None]
    )
    squares = _result(problem, points, searched(problem, starts=STARTS), np.ones(len(points)))
    if loss == "squares":
        return squares
    u, weight = robust.huber(problem, squares.optimum, len(squares.params))
    outlying = tuple(int(i) for i in np.flatnonzero(robust.outliers(problem, u, weight, len(squares.params))))
    if loss == "auto" and not outlying:
        return squares
    return _result(problem, points, u, weight, outliers=outlying, loss="huber")


def _law(resource: ArrayLike, quality: ArrayLike, sigma: ArrayLike | None) -> LawFit:
    pairs = numbers("resource", resource)
    if pairs.ndim != 2 or pairs.shape[1] != 2:  # noqa: PLR2004  # parameters and tokens
        raise FitError(f"the loss law takes resources [n, 2], parameters and tokens, got the shape {pairs.shape}")
    if sigma is not None:
        raise FitError("the loss law gives all runs the same weight: leave out sigma")
    return fit_loss_law(pairs[:, 0], pairs[:, 1], quality)


def _many(resource: ArrayLike, quality: ArrayLike, family: type[Curve], *, given: bool) -> Any:
    if given:
        raise FitError("many curves are fitted by unweighted least squares: leave out sigma and loss")
    return fit_many(resource, quality, family=family)


def _result(
    problem: Problem, points: Points, u: Array, weight: Array, *, outliers: tuple[int, ...] = (), loss: str = "squares"
) -> Fit:
    params = {name: float(values[0]) for name, values in named(problem.weighted(weight), u).items()}
    return Fit(_curve(problem.family, params), points, loss, outliers, weight, problem, u)


def _curve(family: type[Curve], params: dict[str, float]) -> Curve:
    try:
        return family(**params)
    except CurveError as error:
        raise FitError(f"the best fit is outside the range of the family's parameters: {error}") from None


def fit_many(
    resource: ArrayLike, quality: ArrayLike, *, family: str | type[Curve], starts: int = STARTS_OF_MANY
) -> Fits:
    """Fit a family to k curves at once, by least squares and without their uncertainty.

    Args:
        resource: the amounts spent, [n] if the curves share them, else [k, n].
        quality: the qualities reached [k, n]. No gaps.
        family: a name of ``suite.curves.FAMILIES``, or your own class.
        starts: the number of candidates that each curve is refined from; the best is kept.

    Raises `FitError` for data that cannot be fitted, and names the curve.
    """
    chosen = look_up(family)
    r, q = np.atleast_2d(numbers("resource", resource)), np.atleast_2d(numbers("quality", quality))
    if q.ndim != 2 or r.shape not in ((1, q.shape[-1]), q.shape):  # noqa: PLR2004  # curves and points
        raise FitError(f"quality must be curves by points and resource one row or as many, got {q.shape} and {r.shape}")
    for row in r:
        check_resources(row, chosen)
    problem = Problem(chosen, Scales.of(chosen, r.ravel()), r, q, np.ones_like(q))
    rows = np.array_split(np.arange(len(q)), max(1, len(q) // TOGETHER))
    u = np.concatenate([searched(problem.of(some), starts=starts, still=STILL_OF_MANY) for some in rows])
    _, left = problem.residuals(u)
    return Fits(chosen, named(problem, u), np.sum(left**2, axis=-1), q.shape[-1] - len(chosen.parameters()))
