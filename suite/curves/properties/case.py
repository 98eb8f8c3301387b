"""A curve under test, and how a property says what it found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf

import numpy as np
from numpy.typing import ArrayLike, NDArray

from suite.curves.families.curve import LARGEST, Curve, CurveError

Array = NDArray[np.float64]

ROUNDING = 1e-9
"""Of the terms that make a value: an exponent of some hundreds costs as many units in the last place."""
TINY = 1e-280
"""Below this, what underflows cannot be told from zero."""


class Broken(AssertionError):  # noqa: N818  # a finding, shown within a `PropertyError`
    """A property does not hold, and where."""


@dataclass(frozen=True)
class CurveCase:
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
    everywhere(
        np.abs(mine - theirs) <= slack, resource, lambda i: f"{what} is {mine[i]:.9g}, but {theirs[i]:.9g} is right"
    )


def everywhere(good: NDArray[np.bool_], resource: Array, say: Callable[[int], object]) -> None:
    if not good.all():
        i = int(np.argmin(good))
        raise Broken(f"at a resource of {resource[i]:.9g} {say(i)}")


def refused(what: str, action: Callable[[], object]) -> None:
    try:
        action()
    except CurveError:
        return
    raise Broken(f"{what} is not refused with a CurveError")
