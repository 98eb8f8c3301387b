"""Fits families of curves to measured points, with uncertainties and diagnostics."""

from suite.curves.fitting.fit import fit, fit_many
from suite.curves.fitting.loss_law import LawFit, fit_loss_law
from suite.curves.fitting.points import FitError
from suite.curves.fitting.result import Band, Fit, Fits

__all__ = ["Band", "Fit", "FitError", "Fits", "LawFit", "fit", "fit_loss_law", "fit_many"]
