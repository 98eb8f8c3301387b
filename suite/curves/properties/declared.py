"""Properties of what a family declares: units, linear parameters, bounds, domain, starts."""

from __future__ import annotations

from functools import partial
from math import inf, nan, prod

import numpy as np

from suite.curves.families.curve import ANY, Curve
from suite.curves.families.units import factor
from suite.curves.properties.case import ROUNDING, TINY, Array, Broken, CurveCase, everywhere, refused, same

MOST_STARTS = 300
FACTOR = 60.0


def unit_of_resource(case: CurveCase) -> None:
    """Minutes instead of hours change neither the value nor, in its unit, the derivative."""
    curve, r = case.curve, case.resource
    if not curve.scale_free:
        refused("another unit of the resource", lambda: curve.rescaled(resource=FACTOR))
        return
    other = curve.rescaled(resource=FACTOR)
    slack = ROUNDING * _both(case, other, r) + TINY
    same("the value in another unit of the resource", r, other(FACTOR * r), curve(r), slack)
    slope = curve.derivative(r)
    slack = ROUNDING * np.abs(slope) + TINY
    same("the derivative in another unit of the resource", r, FACTOR * other.derivative(FACTOR * r), slope, slack)


def _both(case: CurveCase, other: Curve, r: Array) -> Array:
    return case.terms(r) + CurveCase(other, r, case.data).terms(FACTOR * r)


def unit_of_quality(case: CurveCase) -> None:
    """Percent instead of shares are a hundred times the value."""
    curve, r = case.curve, case.resource
    percent = curve.rescaled(quality=100)
    same("the value in percent", r, percent(r), 100 * curve(r), ROUNDING * 100 * case.terms(r) + TINY)


def broadcast(case: CurveCase) -> None:
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
        everywhere(good, rows[way, 0], lambda _: "shapes of several candidates differ from those of each by itself")


def linear(case: CurveCase) -> None:
    """The value is linear in the parameters said to be."""
    curve, r = case.curve, case.resource
    weights = {name: getattr(curve, name) for name in curve.linear}
    second = {name: (i + 2) * weight for i, (name, weight) in enumerate(weights.items())}
    both = curve.replace(**{name: weights[name] + second[name] for name in weights})
    total = curve(r) + curve.replace(**second)(r)
    slack = ROUNDING * (case.terms(r) + np.abs(total)) + TINY
    same(f"the value with {', '.join(weights)} added up", r, both(r), total, slack)


def bounds(case: CurveCase) -> None:
    """Parameters on or outside their bounds are refused."""
    for name in case.curve.parameters():
        for value in {*case.curve.bounds.get(name, ANY), nan, inf, -inf}:
            refused(f"{name} = {value:g}", partial(case.curve.replace, **{name: value}))


def domain(case: CurveCase) -> None:
    """Resources outside the domain are refused; at its least resource the value is finite."""
    curve = case.curve
    low = curve.domain[0]
    wrong = [nan, inf, -inf, low - 1, *([low] if curve.open_below else [])]
    for r in wrong:
        for ask in (curve, curve.derivative, curve.second_derivative):
            refused(f"a resource of {r:g}", partial(ask, r))
    if not curve.open_below and not np.isfinite(curve(low)):
        raise Broken(f"the value at the least resource, {low:g}, is {curve(low)}")


def starts(case: CurveCase) -> None:
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
