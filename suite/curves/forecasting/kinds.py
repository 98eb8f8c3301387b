"""What kind a quality is: the space that its trend is followed in, and whether it has to be mirrored first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from suite.curves.forecasting.errors import ExtrapolationError

Array = NDArray[np.float64]

KINDS = ("auto", "accuracy", "loss", "unbounded")
DIRECTIONS = ("higher", "lower")
CLEARLY = 0.25  # of the range: less is no sign of a loss within [0, 1]


@dataclass(frozen=True)
class Kind:
    """A ``space`` of `SPACES` and the ``better`` direction of the values as given."""

    space: str
    better: str

    @property
    def mirrored(self) -> bool:
        """Whether the values are turned over before they enter their space."""
        return self.better == "lower" and self.space != "loss"

    def turned(self, y: Array) -> Array:
        """Values in the direction of the space, and back: an error rate as an accuracy, a cost as a gain."""
        if not self.mirrored:
            return y
        return 1 - y if self.space == "accuracy" else -y


def kinds(quality: Array, kind: str | None, better: str | None) -> list[Kind]:
    """The kind of each curve of ``quality`` [k, n], in the order of the resource; NaN is missing.

    A given kind or direction is checked against the values; otherwise it is derived from them, curve by curve.
    """
    kind = _known("kind", kind or "auto", KINDS)
    if better is not None:
        _known("better", better, DIRECTIONS)
    return [_told(y[np.isfinite(y)], kind, better) for y in quality]


def check(y: Array, kind: Kind, name: str) -> None:
    """Raises `ExtrapolationError` for values ``y`` [n] that their kind cannot take; ``name`` is the curve's."""
    if kind.space == "accuracy":
        _refuse(y, (y < 0) | (y > 1), f"{name}an accuracy is in [0, 1]", "use fractions, or kind='unbounded'")
    elif kind.space == "loss":
        _refuse(y, y <= 0, f"{name}a loss is above 0", "use kind='unbounded', or kind='accuracy' for an error rate")


def _told(y: Array, kind: str, better: str | None) -> Kind:
    if kind == "loss" and better == "higher":
        raise ExtrapolationError("a loss is better when lower; use kind='unbounded' for a quality that rises")
    if kind == "loss" or (kind == "auto" and better == "lower" and bool((y > 0).all())):
        return Kind("loss", "lower")
    if kind != "auto":
        return Kind(kind, better or ("higher" if kind == "accuracy" else _direction(y)))
    if better is None:
        return _told(y, kind, _direction(y))
    return Kind("accuracy" if _bounded(y) else "unbounded", better)


def _direction(y: Array) -> str:
    """``lower`` if the median of the last third is below that of the first; within [0, 1] by a quarter of the range.

    A flat, noisy curve within [0, 1] is rather an accuracy than a loss.
    """
    third = max(1, len(y) // 3)
    first, last = (np.sort(part)[third // 2] for part in (y[:third], y[-third:]))
    return "lower" if first - last > (CLEARLY * np.ptp(y) if _bounded(y) else 0.0) else "higher"


def _bounded(y: Array) -> bool:
    return bool(((y >= 0) & (y <= 1)).all())


def _known(what: str, value: str, known: tuple[str, ...]) -> str:
    if value not in known:
        raise ExtrapolationError(f"{what} must be one of {', '.join(map(repr, known))}, got {value!r}")
    return value


def _refuse(y: Array, wrong: NDArray[np.bool_], rule: str, remedy: str) -> None:
    if wrong.any():
        raise ExtrapolationError(f"{rule}, got {y[wrong][0]:g}; {remedy}")
