"""What every family of curves says of itself.

A family is a class, a curve is an instance of it, and its fields are the curve's parameters. Shapes: [...] is whatever
shape the resources have; values keep it. Units: Q is the unit of quality, R that of the resource.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from suite.core.errors import SuiteError
from suite.curves.families.units import factor

Array = NDArray[np.float64]
Interval = tuple[float, float]

ANY: Interval = (-math.inf, math.inf)
POSITIVE: Interval = (0.0, math.inf)
EXPONENT: Interval = (0.0, 100.0)
LARGEST = 1e60
"""Resources and parameters beyond this, and positive parameters below its reciprocal, are mistakes of a unit: products
of a few of them leave the range of a float."""


class CurveError(SuiteError):
    """A parameter, a resource or a quality that a curve has no answer for."""


@dataclass(frozen=True)
class Curve(ABC):
    """Quality as a function of one resource, with its derivatives, its inverse and its geometry.

    A subclass is a frozen dataclass whose fields are floats, and says of itself: ``name`` (what users write),
    ``source`` (who published it), ``units`` and open ``bounds`` by parameter, ``linear`` (the parameters in which the
    value is linear: ``value = shapes(resource, **the others) @ linear``) and ``domain`` of its resource. A unit is a
    product such as ``Q R^-1``; an exponent may be another parameter, ``Q R^c``.
    """

    name: ClassVar[str]
    source: ClassVar[str]
    units: ClassVar[Mapping[str, str]]
    bounds: ClassVar[Mapping[str, Interval]] = {}
    linear: ClassVar[tuple[str, ...]]
    domain: ClassVar[Interval] = (0.0, math.inf)
    """Least and largest resource the curve is defined for, both included where finite, unless `open_below`."""
    open_below: ClassVar[bool] = False
    """Whether the least resource of the domain itself is excluded."""
    scale_free: ClassVar[bool] = True
    """Whether another unit of the resource leaves the curve in its family, see `rescaled`."""

    def __post_init__(self) -> None:
        for name, value in self.params.items():
            object.__setattr__(self, name, self._number(name, value))

    def _number(self, name: str, value: Any) -> float:
        low, high = self.bounds.get(name, ANY)
        number = float(value) if isinstance(value, int | float | np.integer | np.floating) else math.nan
        if not (math.isfinite(number) and low < number < high):
            raise CurveError(f"{self.name}: {name} must be a number between {low:g} and {high:g}, got {value!r}")
        if abs(number) > LARGEST or (low == 0 and number < 1 / LARGEST):
            raise CurveError(f"{self.name}: {name} = {number:g} is beyond the range of floats; choose another unit")
        return number

    @classmethod
    def parameters(cls) -> tuple[str, ...]:
        """Names of the parameters, in the order of the fields."""
        return tuple(field.name for field in fields(cls))

    @classmethod
    def nonlinear(cls) -> tuple[str, ...]:
        """The parameters that ``shapes`` takes."""
        return tuple(name for name in cls.parameters() if name not in cls.linear)

    @property
    def params(self) -> dict[str, float]:
        """The parameters by name."""
        return {name: getattr(self, name) for name in self.parameters()}

    @property
    def shape(self) -> dict[str, float]:
        """The non-linear parameters by name."""
        return {name: getattr(self, name) for name in self.nonlinear()}

    @classmethod
    @abstractmethod
    def shapes(cls, resource: Array, **nonlinear: Any) -> Array:
        """Columns [..., len(linear)] whose weighted sum is the value; ``nonlinear`` broadcast against ``resource``."""

    @classmethod
    @abstractmethod
    def starts(cls, resource: Array) -> dict[str, Array]:
        """Where a fit over these ``resource`` [n] begins: for each non-linear parameter its candidates [k].

        They cover every shape that the data could tell from another, in units of the data's own resources. All
        combinations of all parameters' candidates are tried.
        """

    def __call__(self, resource: ArrayLike) -> Array:
        """Quality [...] in Q. Raises `CurveError` outside the domain."""
        weights = np.array([getattr(self, name) for name in self.linear])
        return np.asarray(self.shapes(self.checked(resource), **self.shape) @ weights)

    @abstractmethod
    def derivative(self, resource: ArrayLike) -> Array:
        """Marginal return [...] in Q/R, analytic; infinite where the curve starts vertically."""

    @abstractmethod
    def second_derivative(self, resource: ArrayLike) -> Array:
        """How the marginal return changes [...] in Q/R^2, analytic."""

    @abstractmethod
    def inverse(self, quality: ArrayLike) -> Array:
        """The resource [...] that brings ``quality``. Raises `CurveError` outside `reached`; see `solved`."""

    @property
    @abstractmethod
    def reached(self) -> Interval:
        """The open interval of qualities that the curve takes inside its domain.

        The quality at the domain's least resource, where that is included, is reached as well.
        """

    @property
    @abstractmethod
    def asymptote(self) -> float:
        """The quality that unlimited resources approach; infinite where there is none."""

    @property
    def start(self) -> float:
        """The quality at the domain's least resource, or its limit there; may be infinite."""
        if not self.open_below:
            return float(self(self.domain[0]))
        low, high = self.reached
        return low if self.asymptote == high else high

    @property
    def rising(self) -> bool:
        """Whether more resources bring a larger number: a curve that falls is a loss."""
        return self.asymptote >= self.start

    @property
    def inflection(self) -> float | None:
        """The resource in the domain at which marginal returns turn from growing to shrinking; None without one."""
        return None

    @property
    def diminishing(self) -> tuple[Interval, ...]:
        """The parts of the domain on which marginal returns shrink in size: |derivative| does not rise."""
        return (self.domain,) if self.inflection is None else ((self.inflection, self.domain[1]),)

    def replace(self, **changes: float) -> Self:
        """The curve with other parameters."""
        return type(self)(**{**self.params, **changes})

    def rescaled(self, *, resource: float = 1.0, quality: float = 1.0) -> Self:
        """The same curve in other units, in which the numbers of resources and qualities are so many times as large.

        From hours to minutes is ``resource=60``: ``curve.rescaled(resource=60)(60 * r) == curve(r)``.
        """
        sizes = {"R": resource, "Q": quality}
        return self.replace(**{k: v * factor(self.units[k], sizes, self.params) for k, v in self.params.items()})

    @classmethod
    def checked(cls, resource: ArrayLike) -> Array:
        """Resources as floats. Raises `CurveError` for values that are not finite or outside the domain."""
        r = cls.floats(resource, "a resource")
        low, high = cls.domain[0], min(cls.domain[1], LARGEST)
        wrong = ~(np.isfinite(r) & (r >= low) & (r <= high)) | (cls.open_below & (r == low))
        if wrong.any():
            least = f"above {low:g}" if cls.open_below else f"at least {low:g}"
            raise CurveError(f"{cls.name}: a resource must be {least} and at most {high:g}, got {r[wrong].flat[0]:g}")
        return r

    @classmethod
    def floats(cls, given: ArrayLike, what: str) -> Array:
        """An array of floats. Raises `CurveError` for what is no number."""
        try:
            return np.asarray(given, dtype=np.float64)
        except (TypeError, ValueError):
            raise CurveError(f"{cls.name}: {what} must be a number or an array of numbers, got {given!r}") from None

    def solved(self, quality: ArrayLike, solve: Callable[[Array], Array]) -> Array:
        """``solve`` of each ``quality``: the resource that brings it, for a family's `inverse`.

        Raises `CurveError` for a quality that is not `reached`, or only with resources above ``LARGEST``.
        """
        q, (low, high) = self.floats(quality, "a quality"), self.reached
        first = self._first(q)
        wrong = ~((q > low) & (q < high)) & ~first
        if wrong.any():
            reached = f"only qualities between {low:g} and {high:g} are reached"
            raise CurveError(f"{self.name}: {reached}, got {q[wrong].flat[0]:g}")
        with np.errstate(all="ignore"):  # at the first quality, whose resource is known, a logarithm of 0 is nothing
            r = np.where(first, self.domain[0], np.maximum(solve(q), self.domain[0]))
        if not np.all(r <= LARGEST):
            far = q[~(r <= LARGEST)].flat[0]
            raise CurveError(f"{self.name}: a quality of {far:g} takes more resources than {LARGEST:g}")
        return np.asarray(r)

    def _first(self, q: Array) -> NDArray[np.bool_]:
        """Where ``q`` is the quality at the domain's least resource."""
        return np.zeros(q.shape, dtype=np.bool_) if self.open_below else np.asarray(q == self(self.domain[0]))
