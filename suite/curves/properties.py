"""What must hold for every family of curves, one function a property.

A property takes a `Case` and raises `Broken` with what it found. Derivatives are compared with two methods that know
nothing of the family's formulas: central finite differences of the values, and automatic differentiation of `shapes`
(`suite.curves.jets`). Tolerances follow the size of the terms that are added, not of their sum, which may cancel.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from math import inf, isfinite, nan, prod

import numpy as np
from numpy.typing import ArrayLike, NDArray

from suite.curves.families.curve import ANY, LARGEST, Curve, CurveError, Interval
from suite.curves.families.units import factor
from suite.curves.jets import derivatives

Array = NDArray[np.float64]

ROUNDING = 1e-9
"""Of the terms that make a value: an exponent of some hundreds costs as many units in the last place."""
STEP = 2e-5
"""Of finite differences, as a share of the resource: the five-point rule errs by its fourth power."""
TRUNCATION, CANCELLATION = 1e-5, 1e-8
TINY = 1e-280
"""Below this, what underflows cannot be told from zero."""
MOST_STARTS = 300
FACTOR = 60.0


class Broken(AssertionError):  # noqa: N818  # a finding, shown within a `PropertyError`
    """A property does not hold, and where."""


@dataclass(frozen=True)
class Case:
    """A curve and sorted resources [n] inside its domain, and the data [m] over which its fit would start."""

    curve: Curve
    resource: Array
    data: Array

    def terms(self, resource: Array) -> Array:
        """Sum [...] of the sizes of the value's terms."""
        weights = np.array([getattr(self.curve, name) for name in self.curve.linear])
        return np.asarray(np.abs(self.curve.shapes(resource, **self.curve.shape)) @ np.abs(weights))

    def around(self) -> Array:
        """The resources, and some on both sides of every end of `diminishing`, sorted."""
        ends = [end for interval in self.curve.diminishing for end in interval if 0 < end < inf]
        near = [end * share for end in ends for share in (0.9, 0.98, 1.02, 1.1)]
        low = self.curve.domain[0]
        return np.unique([*self.resource, *(r for r in near if low < r < LARGEST)])


def same(what: str, resource: Array, mine: Array, theirs: Array, slack: ArrayLike) -> None:
    """Both [n] agree within ``slack``; NaN agrees with nothing."""
    _all(np.abs(mine - theirs) <= slack, resource, lambda i: f"{what} is {mine[i]:.9g}, but {theirs[i]:.9g} is right")


def _all(good: NDArray[np.bool_], resource: Array, say: Callable[[int], object]) -> None:
    if not good.all():
        i = int(np.argmin(good))
        raise Broken(f"at a resource of {resource[i]:.9g} {say(i)}")


def _refused(what: str, action: Callable[[], object]) -> None:
    try:
        action()
    except CurveError:
        return
    raise Broken(f"{what} is not refused with a CurveError")


def monotone(case: Case) -> None:
    """The value never moves against the direction of the curve, nor does its derivative."""
    r, value = case.resource, case.curve(case.resource)
    slope = case.curve.derivative(r)
    direction = np.sign(slope[np.argmax(np.abs(slope))])
    _all(direction * slope >= 0, r, lambda i: f"the derivative {slope[i]:.9g} turns against its own sign elsewhere")
    steps, slack = direction * np.diff(value), ROUNDING * case.terms(r)[1:]
    _all(steps >= -slack, r[1:], lambda i: f"the value moves back to {value[i + 1]:.9g} from {value[i]:.9g}")


def bounded(case: Case) -> None:
    """Values lie within `reached`, one end of which is the asymptote that they approach."""
    curve, r = case.curve, case.resource
    value, slack = curve(r), ROUNDING * case.terms(r)
    low, high = curve.reached
    _all((value >= low - slack) & (value <= high + slack), r, lambda i: f"{value[i]:.9g} is not in ({low:g}, {high:g})")
    if curve.asymptote not in (low, high):
        raise Broken(f"the asymptote {curve.asymptote:g} is no end of the qualities reached, ({low:g}, {high:g})")
    towards = np.where(curve.asymptote > value, 1.0, -1.0) * curve.derivative(r)
    clear = np.abs(curve.asymptote - value) > slack
    _all(~clear | (towards >= 0), r, lambda i: f"{value[i]:.9g} moves away from the asymptote {curve.asymptote:g}")


def _differences(function: Callable[[Array], Array], r: Array) -> Array:
    """Central differences of fourth order at ``r`` [n]."""
    h = STEP * r
    near, far = function(r + h) - function(r - h), function(r + 2 * h) - function(r - 2 * h)
    return (8 * near - far) / (12 * h)


def _differentiable(case: Case) -> Array:
    """The resources that are not nearly at the lower end of the domain."""
    low = case.curve.domain[0]
    return case.resource[case.resource * (1 - 3 * STEP) > low + 1e-3 * abs(low)]


def derivative_by_differences(case: Case) -> None:
    """The derivative equals central finite differences of the value."""
    r = _differentiable(case)
    slope = case.curve.derivative(r)
    slack = TRUNCATION * np.abs(slope) + CANCELLATION * case.terms(r) / r
    same("the derivative", r, slope, _differences(case.curve, r), slack)


def second_derivative_by_differences(case: Case) -> None:
    """The second derivative equals central finite differences of the derivative."""
    r = _differentiable(case)
    bend, slope = case.curve.second_derivative(r), case.curve.derivative(r)
    slack = TRUNCATION * np.abs(bend) + CANCELLATION * np.abs(slope) / r + TINY
    same("the second derivative", r, bend, _differences(case.curve.derivative, r), slack)


def derivatives_by_automatic_differentiation(case: Case) -> None:
    """Both derivatives equal automatic differentiation of ``shapes``."""
    curve, r = case.curve, case.resource
    weights = np.array([getattr(curve, name) for name in curve.linear])
    jet = derivatives(lambda x: curve.shapes(x, **curve.shape), r)
    slope, bend = jet.first @ weights, jet.second @ weights
    same("the derivative", r, curve.derivative(r), slope, ROUNDING * (np.abs(jet.first) @ np.abs(weights)) + TINY)
    slack = ROUNDING * (np.abs(jet.second) @ np.abs(weights) + np.abs(slope) / r) + TINY / r
    same("the second derivative", r, curve.second_derivative(r), bend, slack)


def diminishing(case: Case) -> None:
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


def inflection(case: Case) -> None:
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


def inverse(case: Case) -> None:
    """The inverse returns to every quality reached, and refuses others."""
    curve = case.curve
    low, high = curve.reached
    value = np.array([*curve(case.resource), *_between(low, high)])
    _returns(case, value[(value > low) & (value < high) & _attained(curve, value)])
    for quality in (low - abs(low) / 8 - 1, high + abs(high) / 8 + 1, nan, inf, -inf):
        if not low <= quality <= high or not isfinite(quality):
            _refused(f"a quality of {quality:g}", partial(curve.inverse, quality))


def _between(low: float, high: float) -> Iterator[float]:
    """Qualities from end to end, where both ends are finite."""
    if isfinite(low) and isfinite(high):
        yield from (low + share * (high - low) for share in (0.01, 0.25, 0.5, 0.75, 0.99))


def _returns(case: Case, quality: Array) -> None:
    r = case.curve.inverse(quality)
    value, slack = case.curve(r), ROUNDING * case.terms(r) + np.abs(case.curve.derivative(r)) * r * np.finfo(float).eps
    good = np.abs(value - quality) <= slack
    _all(good, r, lambda i: f"the value is {value[i]:.9g}, but it is the inverse of {quality[i]:.9g}")


def _attained(curve: Curve, quality: Array) -> NDArray[np.bool_]:
    """Where the largest resource of all has got past ``quality`` [n]: a slow curve ends far from its asymptote."""
    last = curve(LARGEST / 2)
    return np.asarray((quality < last if curve.asymptote > last else quality > last) | (last == curve.asymptote))


def unit_of_resource(case: Case) -> None:
    """Minutes instead of hours change neither the value nor, in its unit, the derivative."""
    curve, r = case.curve, case.resource
    if not curve.scale_free:
        _refused("another unit of the resource", lambda: curve.rescaled(resource=FACTOR))
        return
    other = curve.rescaled(resource=FACTOR)
    same("the value in another unit of the resource", r, other(FACTOR * r), curve(r), ROUNDING * _both(case, other, r))
    slope = curve.derivative(r)
    slack = ROUNDING * np.abs(slope) + TINY
    same("the derivative in another unit of the resource", r, FACTOR * other.derivative(FACTOR * r), slope, slack)


def _both(case: Case, other: Curve, r: Array) -> Array:
    return case.terms(r) + Case(other, r, case.data).terms(FACTOR * r)


def unit_of_quality(case: Case) -> None:
    """Percent instead of shares are a hundred times the value."""
    curve, r = case.curve, case.resource
    percent = curve.rescaled(quality=100)
    same("the value in percent", r, percent(r), 100 * curve(r), ROUNDING * 100 * case.terms(r))


def broadcast(case: Case) -> None:
    """``shapes`` of many candidates and many rows at once are those of each by itself."""
    curve, r = case.curve, case.resource
    first = {name: float(candidates[0]) for name, candidates in curve.starts(case.data).items()}
    rows = np.stack([r, r[::-1]])[:, None]  # [2, 1, n] resources with [2, 1] parameters
    given = {name: np.array([[value], [first[name]]]) for name, value in curve.shape.items()}
    got = curve.shapes(rows, **given)
    expected = (2, 2 if given else 1, r.size, len(curve.linear))
    if got.shape != expected:
        raise Broken(f"shapes of resources {rows.shape} and parameters [2, 1] are {got.shape}, not {expected}")
    alone = np.stack([curve.shapes(r, **curve.shape), curve.shapes(r, **first)])[: expected[1]]
    for way, each in ((0, alone), (1, alone[:, ::-1])):
        good = np.isclose(got[way], each, rtol=ROUNDING, atol=TINY).all(axis=(0, -1))
        _all(good, rows[way, 0], lambda _: "shapes of several candidates differ from those of each by itself")


def linear(case: Case) -> None:
    """The value is linear in the parameters said to be."""
    curve, r = case.curve, case.resource
    weights = {name: getattr(curve, name) for name in curve.linear}
    second = {name: (i + 2) * weight for i, (name, weight) in enumerate(weights.items())}
    both = curve.replace(**{name: weights[name] + second[name] for name in weights})
    total = curve(r) + curve.replace(**second)(r)
    same(f"the value with {', '.join(weights)} added up", r, both(r), total, ROUNDING * (case.terms(r) + np.abs(total)))


def bounds(case: Case) -> None:
    """Parameters on or outside their bounds are refused."""
    for name in case.curve.parameters():
        for value in {*case.curve.bounds.get(name, ANY), nan, inf, -inf}:
            _refused(f"{name} = {value:g}", partial(case.curve.replace, **{name: value}))


def domain(case: Case) -> None:
    """Resources outside the domain are refused; at its least resource the value is finite."""
    curve = case.curve
    low = curve.domain[0]
    wrong = [nan, inf, -inf, low - 1, *([low] if curve.open_below else [])]
    for r in wrong:
        for ask in (curve, curve.derivative, curve.second_derivative):
            _refused(f"a resource of {r:g}", partial(ask, r))
    if not curve.open_below and not np.isfinite(curve(low)):
        raise Broken(f"the value at the least resource, {low:g}, is {curve(low)}")


def starts(case: Case) -> None:
    """Candidates are few, lie inside the bounds, and follow the unit of the resource."""
    curve, found = case.curve, case.curve.starts(case.data)
    if set(found) != set(curve.nonlinear()):
        raise Broken(f"starts gives {sorted(found)}, the non-linear parameters are {sorted(curve.nonlinear())}")
    if (count := prod(len(candidates) for candidates in found.values())) > MOST_STARTS:
        raise Broken(f"{count} combinations of starts; at most {MOST_STARTS} are tried")
    for name, candidates in found.items():
        low, high = curve.bounds.get(name, ANY)
        if not ((candidates > low) & (candidates < high)).all():
            raise Broken(f"starts of {name} lie outside its bounds, ({low:g}, {high:g}): {candidates}")
    if curve.scale_free:
        _covariant(curve, case.data, found)


def _covariant(curve: Curve, data: Array, found: dict[str, Array]) -> None:
    sizes = {"R": FACTOR, "Q": 1.0}
    for name, candidates in curve.starts(FACTOR * data).items():
        expected = found[name] * factor(curve.units[name], sizes, curve.params)
        if not np.allclose(candidates, expected, rtol=ROUNDING, atol=0):
            raise Broken(f"starts of {name} do not follow the unit of the resource: {candidates[0]}, not {expected[0]}")
