"""Extrapolation of learning curves: more data, more epochs, more parameters than were measured."""

from suite.curves.forecasting.errors import ExtrapolationError
from suite.curves.forecasting.forecast import Forecast, extrapolate

__all__ = ["ExtrapolationError", "Forecast", "extrapolate"]
