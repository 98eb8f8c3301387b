"""Properties of a curve's course: value, derivatives, inflection, inverse.

Derivatives are compared with two methods that know nothing of the family's formulas: central finite differences of the
values, and automatic differentiation of `shapes` (`suite.curves.jets`). Tolerances follow the size of the terms that
are added, not of their sum, which may cancel.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from math import inf, isfinite, nan

import numpy as np
from numpy.typing import NDArray

from suite.curves.families.curve import LARGEST, Curve, Interval
from suite.curves.jets import derivatives
from suite.curves.properties.case import ROUNDING, TINY, Array, Broken, CurveCase, everywhere, refused, same

STEP = 2e-5
"""Of finite differences, as a share of the resource: the five-point rule errs by its fourth power."""
TRUNCATION, CANCELLATION = 1e-5, 1e-8


def monotone(case: CurveCase) -> None:
    """The value never moves against the direction of the curve, nor does its derivative."""
    r, value = case.resource, case.curve(case.resource)
    slope = case.curve.derivative(r)
    direction = np.sign(slope[np.argmax(np.abs(slope))])
    everywhere(
        direction * slope >= 0, r, lambda i: f"the derivative {slope[i]:.9g} turns against its own sign elsewhere"
    )
    steps, slack = direction * np.diff(value), ROUNDING * case.terms(r)[1:] + TINY
    everywhere(steps >= -slack, r[1:], lambda i: f"the value moves back to {value[i + 1]:.9g} from {value[i]:.9g}")


def bounded(case: CurveCase) -> None:
    """Values lie within `reached`, one end of which is the asymptote that they approach."""
    curve, r = case.curve, case.resource
    value, slack = curve(r), ROUNDING * case.terms(r) + TINY
    low, high = curve.reached
    everywhere(
        (value >= low - slack) & (value <= high + slack), r, lambda i: f"{value[i]:.9g} is not in ({low:g}, {high:g})"
    )
    if curve.asymptote not in (low, high):
        raise Broken(f"the asymptote {curve.asymptote:g} is no end of the qualities reached, ({low:g}, {high:g})")
    towards = np.where(curve.asymptote > value, 1.0, -1.0) * curve.derivative(r)
    clear = np.abs(curve.asymptote - value) > slack
    everywhere(
        ~clear | (towards >= 0), r, lambda i: f"{value[i]:.9g} moves away from the asymptote {curve.asymptote:g}"
    )


def _differences(function: Callable[[Array], Array], r: Array) -> Array:
    """Central differences of fourth order at ``r`` [n]."""
    h = STEP * r
    near, far = function(r + h) - function(r - h), function(r + 2 * h) - function(r - 2 * h)
    return (8 * near - far) / (12 * h)


def _differentiable(case: CurveCase) -> Array:
    """The resources that are not nearly at the lower end of the domain."""
    low = case.curve.domain[0]
    return case.resource[case.resource * (1 - 3 * STEP) > low + 1e-3 * abs(low)]


def derivative_by_differences(case: CurveCase) -> None:
    """The derivative equals central finite differences of the value."""
    r = _differentiable(case)
    slope = case.curve.derivative(r)
    slack = TRUNCATION * np.abs(slope) + CANCELLATION * case.terms(r) / r + TINY
    same("the derivative", r, slope, _differences(case.curve, r), slack)


def second_derivative_by_differences(case: CurveCase) -> None:
    """The second derivative equals central finite differences of the derivative."""
    r = _differentiable(case)
    bend, slope = case.curve.second_derivative(r), case.curve.derivative(r)
    slack = TRUNCATION * np.abs(bend) + CANCELLATION * np.abs(slope) / r + TINY
    same("the second derivative", r, bend, _differences(case.curve.derivative, r), slack)


def derivatives_by_automatic_differentiation(case: CurveCase) -> None:
    """Both derivatives equal automatic differentiation of ``shapes``."""
    curve, r = case.curve, case.resource
    weights = np.array([getattr(curve, name) for name in curve.linear])
    jet = derivatives(lambda x: curve.shapes(x, **curve.shape), r)
    slope, bend = jet.first @ weights, jet.second @ weights
    same("the derivative", r, curve.derivative(r), slope, ROUNDING * (np.abs(jet.first) @ np.abs(weights)) + TINY)
    slack = ROUNDING * (np.abs(jet.second) @ np.abs(weights) + np.abs(slope) / r) + TINY / r
    same("the second derivative", r, curve.second_derivative(r), bend, slack)


def diminishing(case: CurveCase) -> None:
    """The size of marginal returns falls on `diminishing`, and rises outside it."""
    r = case.around()
    size = np.abs(case.curve.derivative(r))
    for intervals, sign, found in (
        (case.curve.diminishing, 1, "rise inside"),
        (_gaps(case.curve), -1, "shrink outside"),
    ):
        for interval in intervals:
            within = _within(r, interval)
            slack = ROUNDING * (size[1:] + size[:-1]) + TINY
            shrunk = sign * (size[:-1] - size[1:]) >= -slack
            if not shrunk[within[1:] & within[:-1]].all():
                raise Broken(f"marginal returns {found} {case.curve.diminishing}, looked at in {r}")


def _within(r: Array, interval: Interval) -> NDArray[np.bool_]:
    return np.asarray((r >= interval[0]) & (r <= interval[1]))


def _gaps(curve: Curve) -> list[Interval]:
    """What of the domain lies between the intervals of `diminishing`."""
    ends = [curve.domain[0], *(end for interval in curve.diminishing for end in interval), curve.domain[1]]
    return [(low, high) for low, high in zip(ends[::2], ends[1::2], strict=True) if low < high]


def inflection(case: CurveCase) -> None:
    """At the inflection the second derivative vanishes and changes sign; without one none is needed."""
    curve, at = case.curve, case.curve.inflection
    starts = [low for low, _ in curve.diminishing if low != curve.domain[0]]
    if ([] if at is None else [at]) != starts:
        raise Broken(f"the inflection is {at}, but marginal returns begin to shrink at {starts}")
    if at is None:
        return
    slope = float(np.abs(curve.derivative(at)))
    bend = curve.second_derivative(np.array([0.999, 1, 1.001]) * at) * np.sign(curve.derivative(at))
    if abs(bend[1]) > 1e-6 * slope / at or (slope > TINY and not bend[0] > 0 > bend[2]):
        raise Broken(f"the second derivative around the inflection {at:.9g} is {bend}, not from positive to negative")


def inverse(case: CurveCase) -> None:
    """The inverse returns to every quality reached, and refuses others."""
    curve = case.curve
    low, high = curve.reached
    value = np.array([*curve(case.resource), *_between(low, high)])
    _returns(case, value[(value > low) & (value < high) & _attained(curve, value)])
    for quality in (low - abs(low) / 8 - 1, high + abs(high) / 8 + 1, nan, inf, -inf):
        if not low <= quality <= high or not isfinite(quality):
            refused(f"a quality of {quality:g}", partial(curve.inverse, quality))


def _between(low: float, high: float) -> Iterator[float]:
    """Qualities from end to end, where both ends are finite."""
    if isfinite(low) and isfinite(high):
        yield from (low + share * (high - low) for share in (0.01, 0.25, 0.5, 0.75, 0.99))


def _returns(case: CurveCase, quality: Array) -> None:
    r = case.curve.inverse(quality)
    value, steps = case.curve(r), np.abs(case.curve.derivative(r)) * r * np.finfo(float).eps
    slack = ROUNDING * case.terms(r) + steps + TINY
    good = np.abs(value - quality) <= slack
    everywhere(good, r, lambda i: f"the value is {value[i]:.9g}, but it is the inverse of {quality[i]:.9g}")


def _attained(curve: Curve, quality: Array) -> NDArray[np.bool_]:
    """Where the largest resource of all has got past ``quality`` [n]: a slow curve ends far from its asymptote."""
    last = curve(LARGEST / 2)
    return np.asarray((quality < last if curve.asymptote > last else quality > last) | (last == curve.asymptote))
