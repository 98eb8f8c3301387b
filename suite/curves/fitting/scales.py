"""The scales on which non-linear parameters are searched: logarithms where a parameter is positive, itself otherwise.

On a logarithmic scale a change of the resource's unit only shifts the search, so a fit does not depend on units.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from suite.curves.families.curve import ANY, LARGEST, Array, Curve

BEYOND = math.log(1e4)  # how far outside its candidates a positive parameter is searched


@dataclass(frozen=True)
class Scales:
    """Maps non-linear parameters to search coordinates u [..., q] and back, and holds them inside [low, high] [q]."""

    names: tuple[str, ...]
    positive: tuple[bool, ...]
    low: Array
    high: Array
    candidates: Array
    """All combinations of the family's starts [s, q], in search coordinates."""

    @classmethod
    def of(cls, family: type[Curve], resource: Array) -> Scales:
        """The scales of a family for data at ``resource`` [n]."""
        names = family.nonlinear()
        starts = family.starts(resource)
        bounds = {name: family.bounds.get(name, ANY) for name in names}
        positive = tuple(bounds[name][0] >= 0 for name in names)
        axes = [np.log(starts[name]) if log else starts[name] for name, log in zip(names, positive, strict=True)]
        reach = [BEYOND if log else 2 * (np.ptp(axis) + 1) for axis, log in zip(axes, positive, strict=True)]
        limits = [_limits(bounds[name], log=log) for name, log in zip(names, positive, strict=True)]
        return cls(
            names=names,
            positive=positive,
            low=np.array(
                [max(axis.min() - far, limit[0]) for axis, far, limit in zip(axes, reach, limits, strict=True)]
            ),
            high=np.array(
                [min(axis.max() + far, limit[1]) for axis, far, limit in zip(axes, reach, limits, strict=True)]
            ),
            candidates=np.array(list(product(*axes))).reshape(-1 if names else 1, len(names)),
        )

    def without(self, name: str) -> Scales:
        """The scales of the other parameters."""
        kept = [j for j, other in enumerate(self.names) if other != name]
        names, positive = tuple(self.names[j] for j in kept), tuple(self.positive[j] for j in kept)
        return Scales(names, positive, self.low[kept], self.high[kept], self.candidates[:, kept])

    def natural(self, u: Array) -> dict[str, Array]:
        """The parameters by name, each [..., 1], for ``Curve.shapes``."""
        return {
            name: (np.exp(u[..., j]) if log else u[..., j])[..., None]
            for j, (name, log) in enumerate(zip(self.names, self.positive, strict=True))
        }

    def searched(self, params: Mapping[str, Any]) -> Array:
        """Search coordinates [q] of a curve's parameters."""
        values = zip(self.names, self.positive, strict=True)
        return np.array([math.log(params[name]) if log else params[name] for name, log in values], dtype=np.float64)

    def held(self, u: Array) -> Array:
        """``u`` inside its limits."""
        return np.clip(u, self.low, self.high)

    def at_limit(self, u: Array) -> tuple[str, ...]:
        """Names of the parameters that ended where the search does: the data do not say how far they go."""
        width = self.high - self.low
        outside = (u <= self.low + 1e-6 * width) | (u >= self.high - 1e-6 * width)
        return tuple(name for name, out in zip(self.names, outside, strict=True) if out)


def _limits(bounds: tuple[float, float], *, log: bool) -> tuple[float, float]:
    """Open bounds in search coordinates, a hair inside where they are finite."""
    low, high = bounds
    if log:
        low, high = max(low, 1 / LARGEST), min(high, LARGEST)  # what a curve can carry
        low, high = math.log(low), math.log(high)
    hair = 1e-9 * max(1.0, *(abs(side) for side in (low, high) if math.isfinite(side)), 0.0)
    return low + hair, high - hair
