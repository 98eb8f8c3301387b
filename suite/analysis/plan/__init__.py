"""Decisions over measured cells: the best within budgets, and what a technique returns on its investment."""

from suite.analysis.plan.budgets import DeploymentLimit, LimitCheck, parse_budgets
from suite.analysis.plan.choose import Choice, best_under
from suite.analysis.plan.returns import Return, returns
from suite.analysis.plan.source import cells
from suite.core.prices import Prices, parse_prices

__all__ = [
    "Choice",
    "DeploymentLimit",
    "LimitCheck",
    "Prices",
    "Return",
    "best_under",
    "cells",
    "parse_budgets",
    "parse_prices",
    "returns",
]
