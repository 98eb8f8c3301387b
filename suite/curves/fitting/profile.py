"""Profile intervals: how far one parameter can go while the others give way, until the fit is significantly worse.

Where the value is strongly curved in a parameter, a symmetric interval is wrong on both sides; a side on which the fit
never becomes bad enough has no end, and the parameter is not identified. Bates and Watts (1988), chapter 6.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

import numpy as np

from suite.curves.families.curve import Array, Interval
from suite.curves.fitting.search import Problem, descended

DOUBLINGS = 30  # of the first step, after which a side is open
CLOSE = 1e-5  # of the interval's own width


def profiled(problem: Problem, u: Array, name: str, *, value: float, step: float, rise: float) -> Interval:
    """Where the sum of weighted squares has risen by ``rise`` on either side of a parameter's estimate ``value``.

    ``problem`` holds one curve and ``u`` [1, q] its optimum; ``step`` is about the parameter's standard error.
    """
    _, left = problem.residuals(u)
    allowed = float(np.sum(left**2)) + rise
    low, high = problem.family.bounds.get(name, (-math.inf, math.inf))
    return (
        _side(_walk(problem, u, name, allowed), value, step=-step, bound=low),
        _side(_walk(problem, u, name, allowed), value, step=step, bound=high),
    )


def _side(excess: Callable[[float], float], value: float, *, step: float, bound: float) -> float:
    """Goes outwards in growing steps until the fit is too bad, then halves; the ``bound`` if it never is."""
    inner, outer, size = value, value, step
    for _ in range(DOUBLINGS):
        outer = _inside(inner + size, inner, bound)
        if excess(outer) > 0:
            return _crossing(excess, inner, outer)
        inner, size = outer, 2 * size
    return bound


def _inside(outer: float, inner: float, bound: float) -> float:
    """``outer``, or half the way to an open bound that it would pass."""
    passes = math.isfinite(bound) and (outer - bound) * (inner - bound) <= 0
    return (inner + bound) / 2 if passes else outer


def _walk(problem: Problem, u: Array, name: str, allowed: float) -> Callable[[float], float]:
    """How much worse than allowed the best fit is with the parameter at a value; begins where the last one ended.

    Remembers its answers: from another beginning the same value could be fitted better, and change its sign.
    """
    kept = [j for j, other in enumerate(problem.scales.names) if other != name]
    now = u[:, kept]

    @cache
    def excess(value: float) -> float:
        nonlocal now
        now, squares = descended(problem.holding(name, value), now)
        return float(squares[0]) - allowed

    return excess


def _crossing(excess: Callable[[float], float], inner: float, outer: float) -> float:
    from scipy.optimize import brentq

    if excess(inner) >= 0:  # the walk's warm start found a better minimum on its way
        return inner
    return float(brentq(excess, inner, outer, xtol=CLOSE * abs(outer - inner) + 1e-300, rtol=1e-10))
