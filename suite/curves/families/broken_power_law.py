"""Power law whose exponent changes once, smoothly: a broken neural scaling law with one break."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from suite.curves.families.curve import ANY, EXPONENT, POSITIVE, Array, Curve, Interval
from suite.curves.families.stable import columns, exp, log, sigmoid, softplus, spread

HALVINGS = 90
"""Of a bracket that is at most 1e66 wide: what remains is below the spacing of floats."""


@dataclass(frozen=True)
class BrokenPowerLaw(Curve):
    """``a + b * r^-before * (1 + (r/d)^(1/f))^(-(after - before) * f)``.

    The exponent is ``before`` below ``d`` and ``after`` above it; ``f`` is the width of the break in ln(r). Both
    exponents are positive, so that the curve is monotone; the paper's ``c1`` is ``after - before``.
    """

    a: float
    b: float
    before: float
    after: float
    d: float
    f: float

    name = "broken_power_law"
    source = "Caballero et al., Broken neural scaling laws, ICLR 2023, arXiv:2210.14891"
    units: ClassVar = {"a": "Q", "b": "Q R^before", "before": "1", "after": "1", "d": "R", "f": "1"}
    bounds: ClassVar = {"a": ANY, "b": ANY, "before": EXPONENT, "after": EXPONENT, "d": POSITIVE, "f": POSITIVE}
    linear = ("a", "b")
    open_below = True

    @classmethod
    def shapes(cls, resource: Array, **nonlinear: Any) -> Array:
        return columns(1.0, exp(_log_shape(log(resource), **nonlinear)))

    @classmethod
    def starts(cls, resource: Array) -> dict[str, Array]:
        exponents = np.array([0.05, 0.2, 0.7, 2.0])
        return {
            "before": exponents,
            "after": exponents,
            "d": spread(resource, 1.5, 0.7, 6),
            "f": np.array([0.05, 0.3, 1.0]),
        }

    def derivative(self, resource: ArrayLike) -> Array:
        """``-m / r`` times the falling part, where ``m`` is the exponent at this resource."""
        ln = np.log(self.checked(resource))
        return np.asarray(-self.b * self._exponent(ln)[0] * exp(_log_shape(ln, **self.shape) - ln))

    def second_derivative(self, resource: ArrayLike) -> Array:
        """``(m^2 + m - dm/dln(r)) / r^2`` times the falling part."""
        ln = np.log(self.checked(resource))
        m, turn = self._exponent(ln)
        return np.asarray(self.b * (m * (m + 1) - turn) * exp(_log_shape(ln, **self.shape) - 2 * ln))

    def inverse(self, quality: ArrayLike) -> Array:
        return self.solved(quality, lambda q: np.exp(self._bisected(np.log((q - self.a) / self.b))))

    @property
    def reached(self) -> Interval:
        if self.b == 0:
            return self.a, self.a
        return (self.a, math.inf) if self.b > 0 else (-math.inf, self.a)

    @property
    def asymptote(self) -> float:
        return self.a

    @property
    def inflection(self) -> float | None:
        """Above a sharp break to a steeper law, see `diminishing`; None where marginal returns shrink throughout."""
        between = self._growing()
        return between[1] if between else None

    @property
    def diminishing(self) -> tuple[Interval, ...]:
        between = self._growing()
        return ((0.0, between[0]), (between[1], math.inf)) if between else (self.domain,)

    def _growing(self) -> Interval | None:
        """The part on which marginal returns grow: ``m^2 + m < dm/dln(r)``.

        Let ``s = 1 / (1 + (d/r)^(1/f))`` and ``change = after - before``. Then ``m = before + change * s``, and
        ``dm/dln(r) = change * s * (1 - s) / f``. The condition is a quadratic in ``s``, negative between its roots.
        """
        change = self.after - self.before
        half = change * (1 / self.f - 1 - 2 * self.before) / 2
        square, constant = change * (change + 1 / self.f), self.before * (self.before + 1)
        inside = half**2 - square * constant
        if change <= 0 or half <= 0 or inside <= 0:
            return None
        upper = (half + math.sqrt(inside)) / square
        return self._at(constant / (square * upper)), self._at(upper)

    def _at(self, share: float) -> float:
        """The resource at which ``share`` of the change of the exponent is done."""
        return float(self.d * np.exp(self.f * (math.log(share) - math.log1p(-share))))

    def _exponent(self, ln: Array) -> tuple[Array, Array]:
        """The exponent [...] at each ln(r), and how it changes per unit of ln(r)."""
        done, left = sigmoid((ln - math.log(self.d)) / self.f)
        change = self.after - self.before
        return self.before * left + self.after * done, change * done * left / self.f

    def _bisected(self, target: Array) -> Array:
        """ln(r) [...] at which the falling part's logarithm is ``target``; there is no closed form.

        Its slope lies between the two exponents, which brackets the root from any point.
        """
        middle = math.log(self.d)
        rise = _log_shape(middle, **self.shape) - target
        steps = np.array([rise / self.before, rise / self.after])
        low, high = middle + steps.min(axis=0), middle + steps.max(axis=0)
        for _ in range(HALVINGS):
            x = (low + high) / 2
            above = _log_shape(x, **self.shape) > target
            low, high = np.where(above, x, low), np.where(above, high, x)
        return np.asarray((low + high) / 2)


def _log_shape(ln: Any, *, before: Any, after: Any, d: Any, f: Any) -> Any:
    """Logarithm of ``r^-before (1 + (r/d)^(1/f))^(-(after - before) f)`` at ln(r)."""
    return -before * ln - (after - before) * f * softplus((ln - np.log(d)) / f)
