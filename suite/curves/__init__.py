"""Curves of quality against resources: families, fits, forecasts and what follows from them."""

from suite.curves.extrapolate import ExtrapolationError, Forecast, extrapolate
from suite.curves.families import FAMILIES, Curve, CurveError, family
from suite.curves.fit import Band, Fit, FitError, Fits, fit, fit_many

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
