"""What more of a resource brings, with the interval that the fit allows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from suite.curves.families.curve import Array, Curve, CurveError
from suite.curves.fitting.result import LEVEL, Fit


@dataclass(frozen=True)
class BootstrapEstimate:
    """A figure that follows from a fit; the interval is the middle share ``level`` of its bootstrap replicates."""

    value: float
    low: float
    high: float
    level: float
    unit: str
    """In Q (quality) and R (resource)."""

    def __str__(self) -> str:
        return f"{self.value:.4g} [{self.low:.4g}, {self.high:.4g}] {self.unit}"


def marginal_return(fit: Fit, at: float, level: float = LEVEL) -> BootstrapEstimate:
    """Quality per unit of resource, at a resource."""
    return estimate(fit, lambda curve: float(curve.derivative(at)), "Q/R", level)


def step_gain(fit: Fit, at: float, step: float, level: float = LEVEL) -> BootstrapEstimate:
    """What a further ``step`` of the resource changes in quality."""
    _check_positive("step", step)
    return estimate(fit, lambda curve: _change(curve, at, at + step), "Q", level)


def doubling_gain(fit: Fit, at: float, level: float = LEVEL) -> BootstrapEstimate:
    """What twice the resource changes in quality: free of the resource's unit."""
    _check_positive("at", at)
    return estimate(fit, lambda curve: _change(curve, at, 2 * at), "Q", level)


def estimate(fit: Fit, figure: Callable[[Curve], float], unit: str, level: float) -> BootstrapEstimate:
    """Any figure of a fitted curve with its interval over the fit's bootstrap replicates."""
    values = replicated(fit, figure)
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    value = figure(fit.curve)
    return BootstrapEstimate(value, min(float(low), value), max(float(high), value), level, unit)


def replicated(fit: Fit, figure: Callable[[Curve], float]) -> Array:
    """A figure of each replicate of the fitted curve [400]."""
    return np.array([figure(curve) for curve in fit.replicated_curves])


def _change(curve: Curve, before: float, after: float) -> float:
    return float(curve(after) - curve(before))


def _check_positive(name: str, value: float) -> None:
    if not value > 0:
        raise CurveError(f"{name} must be positive, got {value!r}")
