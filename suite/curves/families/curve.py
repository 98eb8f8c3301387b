"""What every family of curves says of itself.

A family is a class, a curve is an instance of it, and its fields are the curve's parameters. Shapes: [...] is whatever
shape the resources have; values keep it. Units: Q is the unit of quality, R that of the resource.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from suite.errors import SuiteError

Array = NDArray[np.float64]
Interval = tuple[float, float]

ANY: Interval = (-math.inf, math.inf)
POSITIVE: Interval = (0.0, math.inf)


class CurveError(SuiteError):
    """A parameter, a resource or a quality that a curve has no answer for."""


@dataclass(frozen=True)
class Curve(ABC):
    """Quality as a function of one resource, with its derivatives, its inverse and its geometry.

    A subclass is a frozen dataclass whose fields are floats, and says of itself: ``name`` (what users write),
    ``source`` (who published it), ``units`` and open ``bounds`` by parameter, ``linear`` (the parameters in which the
    value is linear: ``value = shapes(resource, **the others) @ linear``) and ``domain`` of its resource.
    """

    name: ClassVar[str]
    source: ClassVar[str]
    units: ClassVar[Mapping[str, str]]
    bounds: ClassVar[Mapping[str, Interval]] = {}
    linear: ClassVar[tuple[str, ...]]
    domain: ClassVar[Interval] = (0.0, math.inf)
    """Least and largest resource the curve is defined for, both included where finite."""

    def __post_init__(self) -> None:
        for name, value in self.params.items():
            low, high = self.bounds.get(name, ANY)
            if not (math.isfinite(value) and low < value < high):
                raise CurveError(f"{self.name}: {name} must lie between {low:g} and {high:g}, got {value!r}")

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
        r = self.checked(resource)
        weights = np.array([getattr(self, name) for name in self.linear])
        given = {name: getattr(self, name) for name in self.nonlinear()}
        return np.asarray(self.shapes(r, **given) @ weights)

    @abstractmethod
    def derivative(self, resource: ArrayLike) -> Array:
        """Marginal return [...] in Q/R, analytic."""

    @abstractmethod
    def second_derivative(self, resource: ArrayLike) -> Array:
        """How the marginal return changes [...] in Q/R^2, analytic."""

    @abstractmethod
    def inverse(self, quality: ArrayLike) -> Array:
        """The resource [...] that brings ``quality``. Raises `CurveError` outside `reached`."""

    @property
    @abstractmethod
    def reached(self) -> Interval:
        """The open interval of qualities that the curve takes inside its domain."""

    @property
    @abstractmethod
    def asymptote(self) -> float:
        """The quality that unlimited resources approach; infinite where there is none."""

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

    @classmethod
    def checked(cls, resource: ArrayLike) -> Array:
        """Resources as floats. Raises `CurveError` for what is not finite or lies outside the domain."""
        r = np.asarray(resource, dtype=np.float64)
        low, high = cls.domain
        wrong = ~(np.isfinite(r) & (r >= low) & (r <= high))
        if wrong.any():
            raise CurveError(f"{cls.name}: resources must lie in [{low:g}, {high:g}], got {r[wrong].flat[0]:g}")
        return r
