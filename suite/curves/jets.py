"""Jets: automatic differentiation, forward and to second order, through NumPy's universal functions.

A jet carries a value and its first and second derivative along one variable; every function that it passes through
applies the chain rule, so derivatives are exact to rounding and owe nothing to formulas derived by hand.
Source: Griewank and Walther, Evaluating derivatives, 2nd edition (2008), chapter 13.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin
from numpy.typing import ArrayLike, NDArray

from suite.core.errors import UsageError

Array = NDArray[np.float64]
Rule = Callable[[Array], tuple[Array, Array]]

UNARY: dict[np.ufunc, Rule] = {
    np.exp: lambda v: (np.exp(v), np.exp(v)),
    np.expm1: lambda v: (np.exp(v), np.exp(v)),
    np.log: lambda v: (1 / v, -1 / v**2),
    np.log1p: lambda v: (1 / (1 + v), -1 / (1 + v) ** 2),
    np.sqrt: lambda v: (0.5 / np.sqrt(v), -0.25 / np.sqrt(v) ** 3),
    np.square: lambda v: (2 * v, np.full_like(v, 2)),
    np.reciprocal: lambda v: (-1 / v**2, 2 / v**3),
    np.tanh: lambda v: (1 / np.cosh(v) ** 2, -2 * np.tanh(v) / np.cosh(v) ** 2),
    np.sin: lambda v: (np.cos(v), -np.sin(v)),
    np.cos: lambda v: (-np.sin(v), -np.cos(v)),
    np.arctan: lambda v: (1 / (1 + v**2), -2 * v / (1 + v**2) ** 2),
    np.negative: lambda v: (np.full_like(v, -1), np.zeros_like(v)),
    np.positive: lambda v: (np.ones_like(v), np.zeros_like(v)),
    np.absolute: lambda v: (np.sign(v), np.zeros_like(v)),
}
"""First and second derivative of each function of one argument."""


class Jet(NDArrayOperatorsMixin):
    """``value`` [...] with its ``first`` and ``second`` derivative [...]."""

    def __init__(self, value: ArrayLike, first: ArrayLike = 0.0, second: ArrayLike = 0.0) -> None:
        parts = (np.asarray(part, dtype=np.float64) for part in (value, first, second))
        self.value, self.first, self.second = np.broadcast_arrays(*parts)

    def __getitem__(self, index: Any) -> Jet:
        return self.each(lambda part: part[index])

    def each(self, change: Callable[[Array], Array]) -> Jet:
        """The jet with ``change`` made to all three arrays: indexing, stacking and the like."""
        return Jet(change(self.value), change(self.first), change(self.second))

    def chain(self, first: Array, second: Array, value: Array) -> Jet:
        """The jet of ``f(self)`` from ``value`` and the derivatives of ``f`` at it."""
        return Jet(value, first * self.first, second * self.first**2 + first * self.second)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        if method != "__call__" or options:
            return NotImplemented
        with np.errstate(all="ignore"):
            if ufunc in UNARY:
                return self.chain(*UNARY[ufunc](self.value), value=ufunc(self.value))
            if ufunc in BINARY:
                return BINARY[ufunc](*map(as_jet, inputs))
        if ufunc in COMPARISONS:
            return ufunc(*(as_jet(given).value for given in inputs))
        return NotImplemented

    def __array_function__(self, function: Callable[..., Any], _: Any, args: Any, options: Any) -> Any:
        return FUNCTIONS[function](*args, **options) if function in FUNCTIONS else NotImplemented


def as_jet(given: Any) -> Jet:
    """A jet as it is; anything else is a constant."""
    return given if isinstance(given, Jet) else Jet(given)


def variable(at: Array) -> Jet:
    """The variable along which jets are derivatives, at the points ``at`` [...]."""
    return Jet(at, 1.0)


def derivatives(function: Callable[[Any], Any], at: Array) -> Jet:
    """The value of ``function`` at ``at`` [...] and its first two derivatives.

    Raises `UsageError` where the function uses something of NumPy that has no rule here.
    """
    try:
        return as_jet(function(variable(at)))
    except (TypeError, ValueError) as error:
        raise UsageError(
            "automatic differentiation needs NumPy's universal functions with the operators, np.where, np.stack and "
            f"np.broadcast_arrays only (no np.asarray): {error}"
        ) from error


def _multiply(a: Jet, b: Jet) -> Jet:
    second = a.second * b.value + 2 * a.first * b.first + a.value * b.second
    return Jet(a.value * b.value, a.first * b.value + a.value * b.first, second)


def _divide(a: Jet, b: Jet) -> Jet:
    return _multiply(a, as_jet(np.reciprocal(b)))


def _power(a: Jet, b: Jet) -> Jet:
    if b.first.any() or b.second.any():
        return as_jet(np.exp(_multiply(b, np.log(a))))
    first, second = b.value * a.value ** (b.value - 1), b.value * (b.value - 1) * a.value ** (b.value - 2)
    return a.chain(first, second, value=a.value**b.value)


def _logaddexp(a: Jet, b: Jet) -> Jet:
    value = np.logaddexp(a.value, b.value)
    left, right = np.exp(a.value - value), np.exp(b.value - value)
    second = left * a.second + right * b.second + left * right * (a.first - b.first) ** 2
    return Jet(value, left * a.first + right * b.first, second)


def _where(condition: Any, a: Any, b: Any) -> Jet:
    x, y = as_jet(a), as_jet(b)
    parts = ((x.value, y.value), (x.first, y.first), (x.second, y.second))
    return Jet(*(np.where(as_jet(condition).value != 0, *pair) for pair in parts))


def _stack(jets: Any, axis: int = 0) -> Jet:
    made = [as_jet(given) for given in jets]
    return Jet(*(np.stack([getattr(jet, part) for jet in made], axis) for part in ("value", "first", "second")))


def _broadcast(*given: Any) -> list[Jet]:
    made = [as_jet(one) for one in given]
    shape = np.broadcast_shapes(*(jet.value.shape for jet in made))
    return [jet.each(lambda part: np.broadcast_to(part, shape)) for jet in made]


BINARY: dict[np.ufunc, Callable[[Jet, Jet], Jet]] = {
    np.add: lambda a, b: Jet(a.value + b.value, a.first + b.first, a.second + b.second),
    np.subtract: lambda a, b: Jet(a.value - b.value, a.first - b.first, a.second - b.second),
    np.multiply: _multiply,
    np.true_divide: _divide,
    np.power: _power,
    np.logaddexp: _logaddexp,
    np.minimum: lambda a, b: _where(a.value <= b.value, a, b),
    np.maximum: lambda a, b: _where(a.value >= b.value, a, b),
}
COMPARISONS = {np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal, np.isfinite, np.isnan}
FUNCTIONS: dict[Callable[..., Any], Callable[..., Any]] = {
    np.where: _where,
    np.stack: _stack,
    np.broadcast_arrays: _broadcast,
}
