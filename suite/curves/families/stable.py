"""Arithmetic that families share: columns, powers and exponentials that neither overflow nor warn.

Everything here is made of NumPy's universal functions, so that `suite.curves.jets` can differentiate through it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

CAP = 345.0
"""exp(345) is about 1e150: large enough for every quality, and its product with a parameter is still a float."""


def columns(*parts: Any) -> NDArray[np.float64]:
    """``parts`` broadcast against each other, as the last axis [..., len(parts)]."""
    return np.stack(np.broadcast_arrays(*parts), axis=-1)


def exp(x: Any) -> Any:
    """Exponential that stays finite, at ``exp(CAP)``, for every finite ``x``."""
    return np.where(x == np.inf, np.inf, np.exp(np.minimum(x, CAP)))


def log(x: Any) -> Any:
    """Natural logarithm; minus infinity at 0."""
    with np.errstate(divide="ignore"):
        return np.log(x)


def times(a: Any, b: Any) -> Any:
    """Product in which 0 wins over infinity: a vanishing coefficient removes its term."""
    with np.errstate(invalid="ignore"):
        return np.where(a == 0, 0.0, a * b)


def power(base: Any, exponent: Any) -> Any:
    """``base ** exponent`` for ``base >= 0``, finite where ``base`` is positive."""
    return exp(times(exponent, log(base)))


def softplus(x: Any) -> Any:
    """``log(1 + exp(x))``."""
    return np.logaddexp(0.0, x)


def sigmoid(x: Any) -> tuple[Any, Any]:
    """``1 / (1 + exp(-x))`` and what it lacks to 1, each to full precision, with a single exponential."""
    positive = x >= 0
    small = np.exp(np.where(positive, -x, x))
    near, far = 1 / (1 + small), small / (1 + small)
    return np.where(positive, near, far), np.where(positive, far, near)


def spread(resource: NDArray[np.float64], below: float, above: float, count: int) -> NDArray[np.float64]:
    """Candidates [count] from ``below`` times the least positive resource to ``above`` times the largest."""
    r = np.asarray(resource, dtype=np.float64)
    positive = r[r > 0]
    least, largest = (positive.min(), positive.max()) if positive.size else (1.0, 1.0)
    return np.geomspace(below * least, above * largest, count)
