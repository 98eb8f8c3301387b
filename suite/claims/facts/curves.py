"""The article's two curves and what is said of learning curves, computed."""

from __future__ import annotations

import math

import numpy as np

from suite.claims.facts.declare import fact
from suite.curves import article
from suite.curves.families.gompertz import Gompertz

STEPS = 2001  # of a scan for monotony


@fact
def gompertz(resource: float) -> float:
    """The article's Gompertz curve (section 4.1, its constants)."""
    return float(article.GOMPERTZ(resource))


@fact
def gompertz_slope(resource: float) -> float:
    """Its derivative, by the formula of the article."""
    return article.slope_at(resource)


@fact
def gompertz_secant(resource: float) -> float:
    """Its derivative by a difference quotient, which no formula enters."""
    step = 1e-5
    ends = [float(article.GOMPERTZ(resource + sign * step)) for sign in (1, -1)]
    return (ends[0] - ends[1]) / (2 * step)


@fact
def gompertz_supremum() -> float:
    """What the Gompertz curve approaches."""
    return float(article.GOMPERTZ.alpha)


@fact
def gompertz_inflection() -> float:
    """Where its derivative is greatest: ln(beta) / gamma."""
    return article.turning_point()


@fact
def gompertz_shift(delta: float) -> float:
    """Greatest distance of ``P(R; beta e^(gamma delta))`` from ``P(R - delta; beta)`` over R up to 100."""
    plain = article.GOMPERTZ
    other = Gompertz(alpha=plain.alpha, beta=plain.beta * math.exp(plain.gamma * delta), gamma=plain.gamma)
    grid = np.linspace(delta, article.LAST, STEPS)
    return float(np.abs(np.asarray(other(grid)) - np.asarray(plain(grid - delta))).max())


@fact
def gompertz_greatest_slope(gamma: float) -> float:
    """The derivative at the inflection for another gamma: alpha gamma / e."""
    curve = Gompertz(alpha=article.GOMPERTZ.alpha, beta=article.GOMPERTZ.beta, gamma=gamma)
    return float(curve.derivative(curve.inflection or 0.0))


@fact
def saturating(resource: float) -> float:
    """The saturating exponential of section 3.1."""
    return float(article.SATURATING(resource))


@fact
def saturating_slope(resource: float) -> float:
    """Its derivative."""
    return float(article.SATURATING.derivative(resource))


@fact
def saturating_elasticity(resource: float) -> float:
    """``R P'(R)``, which is constant for a logarithm."""
    return article.elasticity(resource)


@fact
def excess_over_line() -> float:
    """By how much the curve of section 3.1 exceeds the straight line that it calls ideal, at most."""
    return article.largest_excess()


@fact
def article_grid_step() -> float:
    """The step of ``linspace(0, 100, 100)``."""
    grid = np.linspace(0.0, article.LAST, 100)
    return float(grid[1] - grid[0])


@fact
def slopes_fall(curve: str, first: float, last: float) -> float:
    """1 where the derivative of ``gompertz`` or ``saturating`` falls over the whole of a range, else 0."""
    of = {"gompertz": article.GOMPERTZ, "saturating": article.SATURATING}[curve]
    slopes = np.asarray(of.derivative(np.linspace(first, last, STEPS)))
    return float(bool((np.diff(slopes) < 0).all()))


@fact
def best_split(budget: float) -> float:
    """The best sum of two of the article's Gompertz curves over an equal split's, for a budget: above 1 is all-in."""
    shares = np.linspace(0.0, budget, STEPS)
    sums = np.asarray(article.GOMPERTZ(shares)) + np.asarray(article.GOMPERTZ(budget - shares))
    return float(sums.max() / (2 * float(article.GOMPERTZ(budget / 2))))
