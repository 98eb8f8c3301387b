"""Fits families of curves to measured points, with what is known and what is not."""

from suite.curves.fit.fit import FitError, fit, fit_many
from suite.curves.fit.result import Band, Fit, Fits

__all__ = ["Band", "Fit", "FitError", "Fits", "fit", "fit_many"]
