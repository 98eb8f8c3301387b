"""How much of a resource a target needs: an interval, or that it is out of reach."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from suite.curves.decide.gains import replicated
from suite.curves.families.curve import Curve, CurveError
from suite.curves.fitting.result import LEVEL, Fit


@dataclass(frozen=True)
class Needed:
    """The resource that a target quality needs; infinite where the curve never reaches it."""

    target: float
    value: float
    low: float
    high: float
    level: float
    reaching: float
    """Share of the fit's replicates that reach the target at all."""

    @property
    def unreachable(self) -> bool:
        """Whether the target is out of reach at this level: all but a share ``1 - level`` of the curves stay below."""
        return self.reaching <= 1 - self.level

    def __str__(self) -> str:
        if self.unreachable:
            return f"{self.target:g} is unreachable at {self.level:.0%}"
        return f"{self.target:g} needs {self.value:.4g} [{self.low:.4g}, {self.high:.4g}] R"


def resource_for(fit: Fit, target: float, level: float = LEVEL) -> Needed:
    """The resource that brings ``target``, as far as the fitted family can be trusted."""
    values = replicated(fit, lambda curve: _resource(curve, target))
    low, high = (_quantile(values, share) for share in ((1 - level) / 2, (1 + level) / 2))
    value = _resource(fit.curve, target)
    reaching = float(np.mean(np.isfinite(values)))
    return Needed(target, value, min(low, value), max(high, value), level, reaching)


def _quantile(values: np.ndarray[tuple[int], np.dtype[np.float64]], share: float) -> float:
    """An order statistic: infinite values have no mean with their neighbours."""
    return float(np.quantile(values, share, method="inverted_cdf"))


def _resource(curve: Curve, target: float) -> float:
    """The resource; the least of the domain if the target is met from the start, infinite if it is never met."""
    try:
        return float(curve.inverse(target))
    except CurveError:
        return curve.domain[0] if _is_passed(curve, target) else math.inf


def _is_passed(curve: Curve, target: float) -> bool:
    """Whether the target lies on the side from which the curve comes."""
    low, high = curve.reached
    return target <= low if curve.rising else target >= high
