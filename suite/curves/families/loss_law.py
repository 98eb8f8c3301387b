"""Loss of a language model as a function of two resources, its parameters N and its training tokens D."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import ArrayLike

from suite.curves.families.curve import LARGEST, Array, CurveError

FLOPS = 6.0
"""Floating-point operations of training per parameter and token. Source: Kaplan et al. 2020, arXiv:2001.08361."""
BOTH = 2


@dataclass(frozen=True)
class LossLaw:
    """``E + A / N^alpha + B / D^beta`` in nats per token; every constant positive.

    ``E`` is the irreducible loss. Resources are [..., 2] = (parameters N, tokens D); compute C is in floating-point
    operations, ``C = 6 N D``. Optima are closed forms: on C the loss is convex in ln(N).
    """

    E: float
    A: float
    B: float
    alpha: float
    beta: float
    source: str = ""

    def __post_init__(self) -> None:
        for field in fields(self)[:-1]:
            _positive(f"the law's {field.name}", getattr(self, field.name))

    def __call__(self, resource: ArrayLike) -> Array:
        """Loss [...] of ``resource`` [..., 2]."""
        n, d = self._split(resource)
        return np.asarray(self.E + self.A * n**-self.alpha + self.B * d**-self.beta)

    def gradient(self, resource: ArrayLike) -> Array:
        """Derivative [..., 2] by N and by D, both negative."""
        n, d = self._split(resource)
        by_n, by_d = -self.alpha * self.A * n ** (-self.alpha - 1), -self.beta * self.B * d ** (-self.beta - 1)
        return np.stack([by_n, by_d], axis=-1)

    def optimal(self, compute: ArrayLike) -> Array:
        """The resources [..., 2] of least loss for ``compute`` [...] operations.

        ``N = G (C/6)^(beta/(alpha+beta))`` with ``G = (alpha A / (beta B))^(1/(alpha+beta))``, and ``D = C / (6 N)``.
        Source: Hoffmann et al. 2022, equation 4.
        """
        pairs = _positive("compute", compute) / FLOPS
        n = self._balance() * pairs ** (self.beta / (self.alpha + self.beta))
        return np.stack([n, pairs / n], axis=-1)

    def least_loss(self, compute: ArrayLike) -> Array:
        """The loss [...] of the `optimal` resources: ``E + K (C/6)^(-alpha beta / (alpha + beta))``."""
        pairs = _positive("compute", compute) / FLOPS
        return np.asarray(self.E + self._frontier() * pairs ** -self._decay())

    def compute_needed(self, loss: ArrayLike) -> Array:
        """The least compute [...] that brings ``loss``. Raises `CurveError` at or below ``E``."""
        with np.errstate(over="ignore"):
            pairs = (self._frontier() / self._reducible(loss, self.E)) ** (1 / self._decay())
        return _positive("compute for this loss", FLOPS * pairs)

    def tokens_needed(self, loss: ArrayLike, parameters: ArrayLike) -> Array:
        """The tokens [...] with which a model of so many ``parameters`` comes to ``loss``.

        Raises `CurveError` for a loss that a model of this size does not reach with any number of tokens.
        """
        n = _positive("parameters", parameters)
        gap = self._reducible(loss, self.E + self.A * n**-self.alpha)
        with np.errstate(over="ignore"):
            return _positive("tokens for this loss", (self.B / gap) ** (1 / self.beta))

    def _reducible(self, loss: ArrayLike, floor: ArrayLike) -> Array:
        """What of ``loss`` [...] lies above ``floor``."""
        asked, least = np.broadcast_arrays(_positive("loss", loss), floor)
        low = asked <= least
        if low.any():
            raise CurveError(
                f"a loss of {asked[low].flat[0]:g} is not reached: unlimited means leave {least[low][0]:g}"
            )
        return np.asarray(asked - least)

    def _balance(self) -> float:
        return math.exp(math.log(self.alpha * self.A / (self.beta * self.B)) / (self.alpha + self.beta))

    def _frontier(self) -> float:
        """``K``: the reducible loss of the optimum at C = 6."""
        return float(self.A * self._balance() ** -self.alpha + self.B * self._balance() ** self.beta)

    def _decay(self) -> float:
        return self.alpha * self.beta / (self.alpha + self.beta)

    @staticmethod
    def _split(resource: ArrayLike) -> tuple[Array, Array]:
        both = _positive("parameters and tokens", resource)
        if both.ndim == 0 or both.shape[-1] != BOTH:
            raise CurveError(f"resources must be [..., 2] = (parameters, tokens), got the shape {list(both.shape)}")
        return both[..., 0], both[..., 1]


def _positive(what: str, given: ArrayLike) -> Array:
    """Floats. Raises `CurveError` unless all are positive and in the range that floats can carry."""
    try:
        x = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError):
        raise CurveError(f"{what}: expected numbers, got {given!r}") from None
    wrong = ~((x >= 1 / LARGEST) & (x <= LARGEST))
    if wrong.any():
        raise CurveError(f"{what} must be positive and at most {LARGEST:g}, got {x[wrong].flat[0]:g}")
    return x


HOFFMANN = LossLaw(1.69, 406.4, 410.7, 0.34, 0.28, "Hoffmann et al. 2022, arXiv:2203.15556, approach 3, equation 10")
BESIROGLU = LossLaw(
    1.8172, 482.01, 2085.43, 0.3478, 0.3658, "Besiroglu et al. 2024, arXiv:2404.10102, a replication of approach 3"
)
PUBLISHED = {"hoffmann": HOFFMANN, "besiroglu": BESIROGLU}
