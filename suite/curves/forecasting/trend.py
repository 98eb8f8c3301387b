"""Step one of a forecast: follow the local trend, a mixture of decaying slopes.

The slope per doubling of the resource continues beyond the last point, and it decays slowly. The trend is a Bayesian
linear regression on six shapes in doublings t = log2(x / x_last) <= 0. It uses five sizes of the prior, averaged by
their evidence. Shapes: k curves, n points, m targets, c prior sizes; arrays that all curves share may have 1 in place
of k.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

WINDOW = 5.0  # doublings; what lies before tells nothing of the slope at the end
LEAST_IN_WINDOW = 12  # points
DECAYS = np.array([0.25, 0.5, 1.0, 2.0])  # per doubling
SIZES = np.exp([-3.0, -1.5, 0.0, 1.5, 3.0])  # prior sd of a slope, in sd of the noise
LOG_PRIOR = np.array([0.0, 0.0, 0.0, -0.5, -1.0])
FLOOR = 1e-3  # least sd of the noise, in z
FALL = 0.5  # of a predicted fall is believed: most are noise
JITTER = 1e-12
COLUMNS = 1 + 1 + len(DECAYS)


def shapes(t: Array) -> Array:
    """The columns [..., 6] at ``t`` doublings from the last point: flat, straight and four decaying slopes.

    All but the flat one are 0 at the last point and have slope 1 per doubling there.
    """
    decaying = -np.expm1(-np.log(2) * DECAYS * t[..., None]) / (DECAYS * np.log(2))
    return np.concatenate([np.ones_like(t)[..., None], t[..., None], decaying], axis=-1)


def window(t: Array, weight: Array) -> Array:
    """Weights [k, n] of the points near the end, proportional to the resource; 0 elsewhere and where ``weight`` is 0.

    The variance of a quality that is estimated from more and more data falls like 1 / x.
    """
    near = (t >= -WINDOW) | (np.arange(t.shape[-1]) >= t.shape[-1] - LEAST_IN_WINDOW)
    return np.where(near, weight * np.exp2(t), 0.0)


def follow(t: Array, rise: Array, weight: Array, tau: Array) -> tuple[Array, Array]:
    """What the trend adds to z at ``tau`` doublings beyond the last point, and its variance: [k, m] each.

    ``t`` [k, n], ``rise`` = z - z_last [k, n], ``weight`` [k, n] from `window`, ``tau`` [k, m].
    """
    columns, beyond = shapes(t), shapes(tau)
    weighted = np.swapaxes(columns * weight[..., None], -1, -2)  # [k, 6, n]
    inverse, log_det = _inverses(weighted @ columns)
    moment = (weighted @ rise[..., None])[..., 0]  # [k, 6]
    beta = (inverse @ moment[:, None, :, None])[..., 0]  # [k, c, 6]
    rest = (weight * rise**2).sum(-1)[:, None] - (beta * moment[:, None]).sum(-1)
    points = np.count_nonzero(weight, axis=-1)[:, None]
    noise = np.maximum(rest, 0.0) / (points - 1) + FLOOR**2  # [k, c]
    share = _shares(log_det, noise, points, _span(t, weight))
    each = beta @ np.swapaxes(beyond, -1, -2)  # [k, c, m]
    mean = (share[..., None] * each).sum(-2)
    leverage = ((beyond[:, None] @ inverse) * beyond[:, None]).sum(-1)  # [k, c, m]
    spread = noise[..., None] * (leverage + 1) + (each - mean[:, None]) ** 2
    return np.where(mean < 0, FALL * mean, mean), (share[..., None] * spread).sum(-2)


def _inverses(gram: Array) -> tuple[Array, Array]:
    """Inverses [k, c, 6, 6] and log determinants [k, c] of ``gram`` [k, 6, 6] plus each prior's precision.

    The diagonal is scaled to ones first: the entries span 20 doublings, squared.
    """
    precision = np.zeros((len(SIZES), COLUMNS))
    precision[:, 1:] = SIZES[:, None] ** -2
    matrices = gram[:, None] + precision[:, None] * np.eye(COLUMNS)
    size = np.sqrt(np.diagonal(matrices, axis1=-2, axis2=-1))
    scale = size[..., None] * size[..., None, :]
    root = np.linalg.cholesky(matrices / scale + JITTER * np.eye(COLUMNS))
    log_det = 2 * np.log(np.diagonal(root, axis1=-2, axis2=-1) * size).sum(-1)
    half = np.linalg.inv(root)
    return (np.swapaxes(half, -1, -2) @ half) / scale, log_det


def _shares(log_det: Array, noise: Array, points: NDArray[np.int_], span: Array) -> Array:
    """How much each prior size counts [k, c]: tempered evidence.

    Noise of neighbouring points is alike (shared splits, nested training sets), so the evidence counts as if there
    were one independent point per doubling.
    """
    evidence = -0.5 * (log_det + 2 * (COLUMNS - 1) * np.log(SIZES)) - (points - 1) / 2 * np.log(noise)
    score = LOG_PRIOR + np.minimum(1.0, span[:, None] / (points - 1)) * evidence
    share = np.exp(score - score.max(-1, keepdims=True))
    return np.asarray(share / share.sum(-1, keepdims=True))


def _span(t: Array, weight: Array) -> Array:
    """Doublings [k] between the first and the last point that count."""
    return np.asarray(-np.where(weight > 0, t, 0.0).min(-1))
