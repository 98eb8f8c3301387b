"""Judge the sweeps of a run by the shapes that are expected of them.

The null hypothesis is that the true curve has the shape, up to the slack. Each interval is widened so that all of a
sweep's hold at once (Bonferroni: Dunn 1961, https://doi.org/10.1080/01621459.1961.10482090), whatever the points have
in common. The sweep has regressed if no curve of the shape runs through the widened intervals. A sweep that has the
shape is reported as regressed with probability 5 % at most, if the intervals have their nominal coverage.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

from suite.core.composition import TechniqueCall, parse
from suite.core.records import Measurement, Reason, ShapeExpectation, Verdict, VerdictKind
from suite.core.sweeps import Sweep, is_number, sweeps
from suite.gate.files.shapes import Excess, excess
from suite.gate.judge import Judgement, consider_xfail, disturbed

if TYPE_CHECKING:
    from datetime import date

MISS = 0.05  # how often a sweep that has the shape may be said to have regressed
USUAL = 0.95  # the confidence of an interval that does not say its own


@dataclass(frozen=True, kw_only=True)
class _Curve:
    """The points of one sweep, ascending: the parameter's values [n] and what was measured there [n]."""

    sweep: Sweep
    x: tuple[float, ...]
    points: tuple[Measurement, ...]


def check_shapes(
    measurements: Iterable[Measurement], shapes: Iterable[ShapeExpectation], *, quiet: bool, today: date
) -> tuple[Verdict, ...]:
    """A verdict for each shape and each sweep of at least three measured points that it speaks for; pure.

    A verdict stands in the cell of the point that violates the shape most, as the metric ``accuracy along sparsity``.
    """
    measured: dict[tuple[str, str], list[Measurement]] = {}
    for one in measurements:
        measured.setdefault((one.cell.workload, one.metric), []).append(one)
    return tuple(
        _verdict(shape, curve, quiet=quiet, today=today)
        for shape in shapes
        for curve in _curves(measured.get((shape.workload, shape.metric), ()), shape)
    )


def speaks_for(shape: ShapeExpectation, sweep: Sweep) -> bool:
    """Whether the sweep is along the shape's parameter, and its other parameters are those that the shape names."""
    if shape.along not in (sweep.parameter, sweep.name):
        return False
    asked, found = parse(shape.technique), parse(sweep.rest)
    return len(asked) == len(found) and all(_within(*pair) for pair in zip(asked, found, strict=True))


def _within(asked: TechniqueCall, found: TechniqueCall) -> bool:
    return asked.name == found.name and set(asked.parameters) <= set(found.parameters)


def _curves(measured: Sequence[Measurement], shape: ShapeExpectation) -> Iterator[_Curve]:
    """The sweeps that the shape speaks for, of what was measured of its workload and metric."""
    places: dict[str, dict[str, Measurement]] = {}
    for one in measured:
        places.setdefault(one.cell.device, {})[one.cell.technique] = one
    for points in places.values():
        for sweep, values in sweeps(points).items():
            if speaks_for(shape, sweep) and all(map(is_number, values)):
                yield _curve(sweep, values, points)


def _curve(sweep: Sweep, values: Mapping[Any, str], points: Mapping[str, Measurement]) -> _Curve:
    return _Curve(sweep=sweep, x=tuple(map(float, values)), points=tuple(points[name] for name in values.values()))


def _verdict(shape: ShapeExpectation, curve: _Curve, *, quiet: bool, today: date) -> Verdict:
    worst, judgement = _judge(shape, curve, quiet=quiet)
    judgement = consider_xfail(judgement.noting(f"{shape.path}:{shape.line}"), shape.xfail, today)
    point = curve.points[worst.at]
    return Verdict(
        kind=judgement.kind,
        cell=point.cell,
        metric=f"{shape.metric} along {curve.sweep.parameter}",
        group=point.group,
        reason=judgement.reason,
        code=judgement.code,
        measurement=point,
        shape=shape,
        sweep=tuple(one.cell.technique for one in curve.points),
    )


def _judge(shape: ShapeExpectation, curve: _Curve, *, quiet: bool) -> tuple[Excess, Judgement]:
    values = [one.value for one in curve.points]
    found = excess(shape.shape, curve.x, values, values)
    doubt = next(filter(None, (disturbed(one, quiet=quiet) for one in curve.points)), None)
    if doubt is not None:
        return found, doubt
    if found.amount <= shape.slack:
        return found, Judgement(kind=VerdictKind.PASS, code=Reason.SHAPE)
    along = f"{shape.shape} along {curve.sweep.parameter}"
    reason = f"{len(curve.points)} points violate {along} by {found.amount:.4g}, slack {shape.slack:g}"
    if any(_unknown_noise(one) for one in curve.points):
        why = f"{reason}; a point has no interval, so that this may be noise"
        return found, Judgement(kind=VerdictKind.INCONCLUSIVE, code=Reason.NO_INTERVAL, reason=why)
    sure = excess(shape.shape, curve.x, *_simultaneous(curve.points))
    if sure.amount > shape.slack:
        beyond = f"{reason}, at the ends of their intervals by {sure.amount:.4g}"
        return sure, Judgement(kind=VerdictKind.REGRESSED, code=Reason.SHAPE, reason=beyond)
    within = f"{reason}, but within the points' intervals"
    return found, Judgement(kind=VerdictKind.INCONCLUSIVE, code=Reason.STRADDLES, reason=within)


def _unknown_noise(one: Measurement) -> bool:
    """Sizes are counted; what repeats badly of them is the slack's to cover."""
    return one.group != "size" and one.tier != "exact" and (one.low is None or one.high is None)


def _simultaneous(points: Sequence[Measurement]) -> tuple[list[float], list[float]]:
    """The ends [n] of intervals that hold all at once with probability 95 %, of intervals that hold one by one."""
    low, high = [], []
    for one in points:
        factor = max(1.0, _quantile(1 - MISS / len(points)) / _quantile(one.confidence or USUAL))
        low.append(one.value - factor * (one.value - (one.value if one.low is None else one.low)))
        high.append(one.value + factor * ((one.value if one.high is None else one.high) - one.value))
    return low, high


def _quantile(confidence: float) -> float:
    """Half the width of a normal interval, in standard deviations."""
    return NormalDist().inv_cdf((1 + confidence) / 2)
