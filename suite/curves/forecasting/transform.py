"""The spaces in which a trend is followed: z rises when the curve improves, whatever the metric.

Three spaces: a bounded quality that rises in [0, 1] (softened logit), a positive loss that falls (minus the logarithm)
and anything else that rises (as it is). Other directions are mirrored first: see `kinds`. Shapes: [...] throughout.
Losses and unbounded qualities come divided by their median size, so that every floor is free of the unit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

SOFT = 0.003  # keeps the logit of 0 and 1 finite, and the noise of qualities near 1 from counting too much
FAR = 300.0  # exp(FAR) is still finite when squared
LEAST_LOSS = 1e-3  # of the last loss: what a family predicts below has no logarithm to speak of


@dataclass(frozen=True, kw_only=True)
class Transform:
    """``z(y)``, its inverse ``y(z)``, its slope dz/dy, and the values ``inside`` which y is kept.

    ``least`` is the value above which a prediction counts; ``informative`` the width, in units, that an interval may
    have although nothing so wide was measured; ``bounded`` whether the unit says how large a change can be.
    """

    z: Callable[[Array], Array]
    y: Callable[[Array], Array]
    slope: Callable[[Array], Array]
    inside: Callable[[Array], Array]
    relative: bool = False
    """The size of the noise follows the value: residuals count relative to it."""
    least: float = -np.inf
    informative: float = 0.5
    bounded: bool = True

    def holds(self, y: Array) -> NDArray[np.bool_]:
        """Whether a prediction [...] is one that the quality can take without being clamped far away."""
        return np.asarray(y > self.least)


def _logit(y: Array) -> Array:
    return np.log((y + SOFT) / (1 + SOFT - y))


def _sigmoid(z: Array) -> Array:
    """The inverse of `_logit`, kept in [0, 1]."""
    p = 0.5 * (1 + np.tanh(0.5 * z))
    return np.clip((1 + 2 * SOFT) * p - SOFT, 0.0, 1.0)


SPACES = {
    "accuracy": Transform(
        z=_logit,
        y=_sigmoid,
        slope=lambda y: 1 / (y + SOFT) + 1 / (1 + SOFT - y),
        inside=lambda y: np.clip(y, 0.0, 1.0),
    ),
    "loss": Transform(
        z=lambda y: -np.log(y),
        y=lambda z: np.exp(-np.clip(z, -FAR, FAR)),
        slope=lambda y: 1 / y,
        inside=lambda y: np.maximum(y, LEAST_LOSS),
        relative=True,
        least=LEAST_LOSS,
    ),
    "unbounded": Transform(
        z=lambda y: y, y=lambda z: z, slope=np.ones_like, inside=lambda y: y, informative=0.02, bounded=False
    ),
}
