"""Shapes of curves: by how much measured points, or their intervals, contradict one.

A curve of a shape through all intervals ``[low, high]`` exists exactly if no constraint below is violated:

- non-increasing: no later ``low`` lies above an earlier ``high``; non-decreasing likewise;
- convex: no ``low`` lies above the chord of a ``high`` before and a ``high`` after it (the largest convex curve below
  the upper ends is their lower hull); concave likewise;
- unimodal: non-decreasing up to one of the points and non-increasing from it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

Values = Sequence[float]


@dataclass(frozen=True, kw_only=True, order=True)
class Excess:
    """``amount`` in the quality's unit by which the point ``at`` (an index) violates a shape; <= 0: it does not."""

    amount: float
    at: int


def excess(shape: str, x: Values, low: Values, high: Values) -> Excess:
    """The largest violation of ``shape`` by points with ascending ``x`` [n] and values in ``[low, high]`` [n], n >= 2.

    With ``low`` = ``high`` it is that of the points themselves. Raises `KeyError` for an unknown shape.
    """
    return SHAPES[shape](x, low, high)


def _non_increasing(_: Values, low: Values, high: Values) -> Excess:
    return max(Excess(amount=low[j] - high[i], at=j) for i, j in combinations(range(len(low)), 2))


def _non_decreasing(x: Values, low: Values, high: Values) -> Excess:
    return _non_increasing(x, *_mirrored(low, high))


def _convex(x: Values, low: Values, high: Values) -> Excess:
    triples = combinations(range(len(x)), 3)
    found = (Excess(amount=low[j] - _chord(x, high, i, j, k), at=j) for i, j, k in triples)
    return max(found, default=_fits(low))


def _concave(x: Values, low: Values, high: Values) -> Excess:
    return _convex(x, *_mirrored(low, high))


def _unimodal(x: Values, low: Values, high: Values) -> Excess:
    return min(_with_peak(x, low, high, at) for at in range(len(x)))


def _with_peak(x: Values, low: Values, high: Values, at: int) -> Excess:
    sides: Iterable[tuple[Callable[[Values, Values, Values], Excess], slice]] = (
        (_non_decreasing, slice(0, at + 1)),
        (_non_increasing, slice(at, len(x))),
    )
    parts = [(side(x[part], low[part], high[part]), part.start) for side, part in sides if len(x[part]) > 1]
    return max(Excess(amount=found.amount, at=found.at + start) for found, start in parts)


def _chord(x: Values, y: Values, i: int, j: int, k: int) -> float:
    share = (x[j] - x[i]) / (x[k] - x[i])
    return y[i] + share * (y[k] - y[i])


def _mirrored(low: Values, high: Values) -> tuple[list[float], list[float]]:
    return [-value for value in high], [-value for value in low]


def _fits(values: Values) -> Excess:
    """Two points are convex and concave."""
    return Excess(amount=0.0, at=len(values) - 1)


SHAPES: Mapping[str, Callable[[Values, Values, Values], Excess]] = {
    "non-increasing": _non_increasing,
    "non-decreasing": _non_decreasing,
    "convex": _convex,
    "concave": _concave,
    "unimodal": _unimodal,
}
"""Every shape by the name that expectation files use."""
