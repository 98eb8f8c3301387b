"""Variable projection: where the value is linear in some parameters, these follow from the others in closed form.

Golub and Pereyra, The differentiation of pseudo-inverses and nonlinear least squares problems (1973). Shapes: k curves,
n points, q non-linear and l linear parameters.
"""

from __future__ import annotations

import numpy as np

from suite.curves.families.curve import Array

DEPENDENT = 1e-11  # a column is dependent whose part orthogonal to the others is smaller than this share of it


def project(columns: Array, target: Array) -> tuple[Array, Array]:
    """Least-squares coefficients [..., l] of ``columns`` [..., n, l] for ``target`` [..., n]; what is left [..., n].

    Gram-Schmidt, twice, vectorised over the leading axes. A column that the others give already has coefficient 0.
    """
    count = columns.shape[-1]
    if count == 0:
        return np.zeros((*target.shape[:-1], 0)), target
    upper = np.zeros((*columns.shape[:-2], count, count))
    basis: list[Array] = []
    for j in range(count):
        basis.append(_orthonormal(columns[..., j], basis, upper[..., j]))
    parts = [np.einsum("...n,...n->...", q, target) for q in basis]
    left = target - sum(part[..., None] * q for part, q in zip(parts, basis, strict=True))
    return _back_substituted(upper, parts), left


def _orthonormal(column: Array, basis: list[Array], upper: Array) -> Array:
    """``column`` [..., n] without its parts along ``basis``, length 1 or 0; ``upper`` [..., l] receives R's column."""
    length = np.sqrt(np.einsum("...n,...n->...", column, column))
    rest = column
    for _ in range(2):  # once leaves rounding errors where columns are nearly parallel
        for i, q in enumerate(basis):
            part = np.einsum("...n,...n->...", q, rest)
            upper[..., i] += part
            rest = rest - part[..., None] * q
    norm = np.sqrt(np.einsum("...n,...n->...", rest, rest))
    kept = norm > DEPENDENT * length
    upper[..., len(basis)] = np.where(kept, norm, 0.0)
    return np.asarray(rest * np.where(kept, 1 / np.where(kept, norm, 1.0), 0.0)[..., None])


def _back_substituted(upper: Array, parts: list[Array]) -> Array:
    count = len(parts)
    found: list[Array] = [np.zeros(0)] * count
    for j in reversed(range(count)):
        rest = parts[j] - sum(upper[..., j, i] * found[i] for i in range(j + 1, count))
        pivot = upper[..., j, j]
        found[j] = np.where(pivot > 0, rest / np.where(pivot > 0, pivot, 1.0), 0.0)
    return np.stack(found, axis=-1)
