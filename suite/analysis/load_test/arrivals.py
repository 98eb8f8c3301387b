"""When requests arrive: drawn before anything is served, so that a slow server cannot slow its own clients."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from suite.core.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray


def poisson(rate: float, seconds: float, seed: int) -> NDArray[np.float64]:
    """Times [N] of a Poisson process of ``rate`` requests a second within ``seconds``, ascending, at least one.

    Raises `UsageError` for a rate or duration that is not positive.
    """
    if not (0 < rate < math.inf and 0 < seconds < math.inf):
        raise UsageError(f"a load needs a rate and seconds above 0, got rate={rate!r} and seconds={seconds!r}")
    generator = np.random.default_rng(seed)
    count = max(1, int(generator.poisson(rate * seconds)))
    return np.sort(generator.uniform(0.0, seconds, count))  # given their number, arrivals are uniform
