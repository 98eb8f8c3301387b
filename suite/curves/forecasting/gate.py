"""Step three of a forecast: how far the families are trusted.

Where they fit, their residuals are independent and they beat a local trend; where they miss the level or the slope at
the end, neighbouring residuals are alike. Shapes: k curves, n points.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

INDEPENDENT, WIDTH = 1.5, 0.5  # Durbin-Watson ratio at which trust begins, and over which it grows
MOST = 0.75  # trust in the families at best
MOST_REFINED = 0.95  # in families that were fitted in earnest to a smooth curve
TINY = np.finfo(np.float64).tiny


def durbin_watson(residual: Array, present: NDArray[np.bool_]) -> Array:
    """The Durbin-Watson ratio [k] of ``residual`` [k, n] in the order of the resource; 2 if independent.

    Missing points come before those that are ``present``. Source: Durbin and Watson, Biometrika 37 (1950).
    """
    both = present[:, 1:] & present[:, :-1]
    steps = (np.where(both, np.diff(residual, axis=-1), 0.0) ** 2).sum(-1)
    squares = (np.where(present, residual, 0.0) ** 2).sum(-1)
    points = np.count_nonzero(present, axis=-1)
    return np.asarray(steps / np.maximum(squares, TINY) * points / np.maximum(points - 1, 1))


def trust(ratio: Array, most: float = MOST) -> Array:
    """The families' weight [k], 0 to ``most``, from the Durbin-Watson ``ratio`` [k] of their residuals."""
    return np.asarray(most * np.clip((ratio - INDEPENDENT) / WIDTH, 0.0, 1.0))
