"""How good forecasts are on a folder of real learning curves: rivals, planted dips, coverage, speed."""

from studies.forecasts.table import main, study

__all__ = ["main", "study"]
