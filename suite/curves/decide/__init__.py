"""From curves to decisions: what the next step brings, when to stop, and where a budget goes."""

from suite.curves.decide.allocation import Allocation, AllocationError, allocate
from suite.curves.decide.gains import BootstrapEstimate, doubling_gain, marginal_return, step_gain
from suite.curves.decide.stop import Spending, StopRule, best_spending, stop_rule
from suite.curves.decide.target import Needed, resource_for

__all__ = [
    "Allocation",
    "AllocationError",
    "BootstrapEstimate",
    "Needed",
    "Spending",
    "StopRule",
    "allocate",
    "best_spending",
    "doubling_gain",
    "marginal_return",
    "resource_for",
    "step_gain",
    "stop_rule",
]
