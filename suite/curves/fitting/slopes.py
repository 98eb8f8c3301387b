"""How a curve's value follows from its parameters: the Jacobian, its condition, and the parameters' covariance.

Shapes: n points, p parameters.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from suite.curves.families.curve import Array, Curve

STEP = 6e-6  # of a central difference, relative: the cube root of the precision of a float
SINGULAR = 1e-12  # of the largest singular value


def jacobian(curve: Curve, resource: Array) -> Array:
    """Of the value by the parameters [n, p] at ``resource`` [n]: exact where linear, else central differences."""
    shapes = curve.shapes(resource, **{name: curve.params[name] for name in curve.nonlinear()})
    exact = dict(zip(curve.linear, np.moveaxis(shapes, -1, 0), strict=True))
    columns = [exact[name] if name in exact else _difference(curve, name, resource) for name in curve.parameters()]
    return np.stack(columns, axis=-1)


def _difference(curve: Curve, name: str, resource: Array) -> Array:
    value = curve.params[name]
    low, high = curve.bounds.get(name, (-np.inf, np.inf))
    step = STEP * (abs(value) or 1.0)
    below, above = max(value - step, (low + value) / 2), min(value + step, (high + value) / 2)
    return np.asarray(
        (curve.replace(**{name: above})(resource) - curve.replace(**{name: below})(resource)) / (above - below)
    )


@dataclass(frozen=True)
class ParameterSpread:
    """What the data say of the parameters together: ``root`` [p, p] with covariance = root @ root.T (noise of 1)."""

    root: Array
    condition: float
    """Of the Jacobian with columns of one length: beyond about 1e6 some parameters only matter together."""
    singular: tuple[int, ...]
    """Positions of the parameters that the data say nothing of."""

    @property
    def covariance(self) -> Array:
        """[p, p], infinite on the diagonal where the data say nothing."""
        found = self.root @ self.root.T
        found[list(self.singular), list(self.singular)] = np.inf
        return np.asarray(found)


def spread(slopes: Array) -> ParameterSpread:
    """From the weighted Jacobian [n, p], by singular values: no normal equations, which would square the condition."""
    lengths = np.sqrt(np.sum(slopes**2, axis=0))
    scaled = slopes / np.where(lengths > 0, lengths, 1.0)
    _, values, vectors = np.linalg.svd(scaled, full_matrices=False)
    kept = values > SINGULAR * values[0] if values[0] > 0 else np.zeros(len(values), dtype=bool)
    root = np.zeros((slopes.shape[1], slopes.shape[1]))
    root[:, : len(values)] = vectors.T * np.where(kept, 1 / np.where(kept, values, 1.0), 0.0)
    lost = np.abs(vectors[~kept]).max(axis=0, initial=0.0) > np.sqrt(SINGULAR)
    root /= np.where(lengths > 0, lengths, 1.0)[:, None]
    condition = float(values[0] / values[-1]) if kept.all() else np.inf
    return ParameterSpread(
        root=root, condition=condition, singular=tuple(int(i) for i in np.flatnonzero(lost | (lengths == 0)))
    )
