"""Single points far off a curve that passes through their neighbours: spikes of a training, typos in a table.

No family of curves is needed: an outlier differs from its neighbours, and without it they agree. A peak, a step or a
valley does not: there, neighbours of the highest point are high as well.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

FAR = 8.0  # robust standard deviations of the points' distances from the line between their neighbours
SHARE = 0.3  # of the range of all other points
AGREE = 0.2  # of the outlier's distance, within which the neighbours agree without it
LEAST = 7  # points below which nothing stands out
MOST = 10  # points for each outlier: more of them are noise, or another shape


def spikes(resource: Array, quality: Array) -> NDArray[np.bool_]:
    """Which points [n] are outliers; ``resource`` [n] is positive, in any order, repeated or not."""
    amounts, place, count = np.unique(resource, return_inverse=True, return_counts=True)
    means = np.bincount(place, weights=quality) / count
    off = np.zeros(len(amounts), dtype=bool)
    if len(amounts) >= LEAST:
        off[_isolated(np.log(amounts), means)] = True
    if off.sum() > max(1, len(amounts) // MOST):
        off[:] = False
    middle = np.interp(np.log(amounts), np.log(amounts[~off]), means[~off])
    distance = np.abs(quality - middle[place])
    largest = np.zeros(len(amounts))
    np.maximum.at(largest, place, distance)
    return np.asarray(off[place] & (distance > largest[place] / 2))  # of several seeds, the one that is off


def _isolated(x: Array, y: Array) -> list[int]:
    """Positions of the outliers: never the first two points nor the last, where curves are steep or may go on."""
    distance = _distances(x, y)
    noise = 1.4826 * float(np.median(np.abs(distance)))
    found = []
    for i in range(2, len(x) - 1):
        others = np.delete(y, i)
        size = abs(distance[i - 1])
        if size > max(FAR * noise, SHARE * float(np.ptp(others))) and size > 0:
            left = np.abs(_distances(np.delete(x, i), others)[max(0, i - 3) : i])  # around the gap
            if left.max() < AGREE * size:
                found.append(i)
    return found


def _distances(x: Array, y: Array) -> Array:
    """How far each inner point lies from the line between its neighbours [n - 2]."""
    share = (x[1:-1] - x[:-2]) / (x[2:] - x[:-2])
    return np.asarray(y[1:-1] - (y[:-2] + share * (y[2:] - y[:-2])))


def named(resource: Array, quality: Array, off: NDArray[np.bool_], x: str) -> tuple[str, ...]:
    """A sentence for each outlier ``off`` [n] that was left out."""
    return tuple(
        f"left out as an outlier: {value:g} at {x} {amount:g} is far from its neighbours; without it they agree"
        for amount, value in zip(resource[off], quality[off], strict=True)
    )
