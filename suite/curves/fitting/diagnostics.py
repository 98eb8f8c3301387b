"""What the residuals say against a fit: trends it missed, points that lead it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from suite.curves.families.curve import Array

LEADING = 1.0  # Cook's distance from which a point leads the fit, as usual
TRENDING = 1.0  # Durbin-Watson below which neighbours' residuals are alike


@dataclass(frozen=True)
class Diagnostics:
    """Of the residuals [n] in the order of the resource, in units of the noise."""

    standardized: Array
    """Residuals over their own standard error: a point that leads the fit has a small residual by construction."""
    leverage: Array
    """Share of a point in its own fitted value, 0 to 1; they add up to the number of parameters."""
    cooks: Array
    """Cook's distance (1977): how far all fitted values move, in standard errors squared, if the point is left out."""
    durbin_watson: float
    """About 2 where residuals are independent, towards 0 where the family misses the shape."""

    @property
    def leading(self) -> tuple[int, ...]:
        """Positions of the points without which the fit is another one."""
        return tuple(int(i) for i in np.flatnonzero(self.cooks > LEADING))

    @property
    def misses_shape(self) -> bool:
        """Whether neighbours' residuals are alike: what remains is shape, and intervals are too narrow."""
        return self.durbin_watson < TRENDING


def diagnostics(residuals: Array, root: Array, slopes: Array, noise: float) -> Diagnostics:
    """From weighted residuals [n], the root of the covariance [p, p], the weighted Jacobian [n, p] and the noise."""
    leverage = np.clip(np.sum((slopes @ root) ** 2, axis=1), 0.0, 1.0)
    left = np.maximum(1 - leverage, 1e-12)
    standardized = residuals / (noise * np.sqrt(left)) if noise > 0 else np.zeros_like(residuals)
    squares = float(np.sum(residuals**2))
    moves = float(np.sum(np.diff(residuals) ** 2))
    return Diagnostics(
        standardized=standardized,
        leverage=leverage,
        cooks=standardized**2 * leverage / left / slopes.shape[1],
        durbin_watson=moves / squares if squares > 0 else 2.0,
    )
