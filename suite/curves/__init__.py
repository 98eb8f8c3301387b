"""Curves of quality against resources: families, fits, forecasts and what follows from them."""

from suite.curves.families import FAMILIES, Curve, CurveError, family
from suite.curves.fitting import Band, Fit, FitError, Fits, fit, fit_many
from suite.curves.forecasting import ExtrapolationError, Forecast, extrapolate

__all__ = [
    "FAMILIES",
    "Band",
    "Curve",
    "CurveError",
    "ExtrapolationError",
    "Fit",
    "FitError",
    "Fits",
    "Forecast",
    "extrapolate",
    "family",
    "fit",
    "fit_many",
]
