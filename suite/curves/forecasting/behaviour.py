"""Whether a curve behaves as a learning curve does; if not, its forecast is marked as abstained.

A curve is ill-behaved if it clearly fell in its last five doublings: in a late fall, a valley (double descent) or a
drop that lasts. Clearly: by more than the local noise, judged by differences of neighbouring points, and by more than a
tenth of the curve's range. Otherwise a curve is ill-behaved if it jumps at its last point, on which the forecast
depends most. Earlier single outliers have little weight and do not count. Shapes: k curves, n points; missing points
are at the front.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from suite.curves.forecasting.trend import WINDOW

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

REACH = 6  # points to either side that tell the local noise
CLEAR = (
    2.4  # a fall in units of noise and range: where ordinary curves pass and dips of three tenths of the range do not
)
SHARE = 0.05  # of the range counts like noise
FLOOR = 1e-3  # of quality, likewise: curves that are flat to three digits have no falls
JUMP_RANGE, JUMP_NOISE = 0.5, 6.0
SECOND_TO_SD = 1.4826 / 6**0.5  # sd of independent normal noise, in median absolute second differences of it


def falls(t: Array, rising: Array, present: Flags) -> Flags:
    """Which curves [k] fell clearly. ``rising`` [k, n]: quality, the more the better; ``t`` [k, n]: doublings."""
    own = _mirrored(rising, present)
    smooth = np.median(_around(own, 1, REACH), axis=-1)
    spread = CLEAR * _noise(own) / 2**0.5  # of each end: the two add like variances where they are equal
    size = CLEAR * (SHARE * span(smooth, present) + FLOOR)
    counts = present & (t >= -WINDOW)
    highest = np.maximum.accumulate(np.where(counts, smooth - spread, -np.inf), axis=-1)
    fall = np.where(counts, highest - (smooth + spread), -np.inf)
    return np.asarray(fall.max(-1) > size)


def jumps(rising: Array, present: Flags) -> Flags:
    """Which curves [k] leap at their last point, up or down, by more than half of what they had covered before."""
    own = _mirrored(rising, present)
    before = present.copy()
    before[:, -1] = False
    up = rising[:, -1] - np.where(before, rising, -np.inf).max(-1)
    down = np.median(rising[:, -4:-1], axis=-1) - rising[:, -1]
    return np.asarray(
        np.maximum(up, down) > JUMP_RANGE * span(rising, before) + JUMP_NOISE * _noise(own)[:, -2] + FLOOR
    )


def _mirrored(values: Array, present: Flags) -> Array:
    """Each curve's own points, mirrored at its first and last as often as needed: [k, REACH + 1 + n + REACH + 1]."""
    n = values.shape[-1]
    count = np.count_nonzero(present, axis=-1)[:, None]
    position = np.arange(-REACH - 1, n + REACH + 1) - (n - count)
    period = 2 * np.maximum(count - 1, 1)
    folded = np.abs((position + count - 1) % period - (count - 1))
    return np.take_along_axis(values, folded + (n - count), axis=-1)


def _noise(own: Array) -> Array:
    """Local sd of the noise [k, n]: median absolute second difference of the nearest 13 points."""
    second = np.abs(own[:, :-2] - 2 * own[:, 1:-1] + own[:, 2:])
    return SECOND_TO_SD * np.median(_around(second, REACH, 0), axis=-1)


def _around(own: Array, reach: int, skip: int) -> Array:
    """The neighbourhoods [k, n, 2 reach + 1]; ``skip`` columns more than ``reach`` stand at either end of ``own``."""
    return np.lib.stride_tricks.sliding_window_view(own[:, skip : own.shape[-1] - skip], 2 * reach + 1, axis=-1)


def span(values: Array, present: Flags) -> Array:
    """Largest less least present value [k]."""
    return np.asarray(np.where(present, values, -np.inf).max(-1) - np.where(present, values, np.inf).min(-1))
