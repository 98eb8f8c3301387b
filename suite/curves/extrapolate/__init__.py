"""Extrapolation of learning curves: more data, more epochs, more parameters than were measured."""

from suite.curves.extrapolate.errors import ExtrapolationError
from suite.curves.extrapolate.forecast import Forecast, extrapolate

__all__ = ["ExtrapolationError", "Forecast", "extrapolate"]
