"""The objectives of a search: metrics to make small or large, and bounds that have to hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from suite.analysis.plan.budgets import DeploymentLimit, find_metric, parse_budgets
from suite.core.errors import UsageError
from suite.core.metrics import METRICS
from suite.core.records import Better, Metric
from suite.report.pareto import Merit, front, merit

Figure = tuple[float, float | None, float | None]
"""A metric's value with the ends of its interval, where it has one; in the metric's unit."""
Figures = Mapping[str, Figure]
"""By name of the metric."""


@dataclass(frozen=True, kw_only=True)
class Objective:
    """A metric to make as small as possible where less is ``better``, else as large; in its own ``unit``."""

    metric: str
    unit: str
    better: Better

    def __str__(self) -> str:
        return f"{'minimise' if self.better == 'lower' else 'maximise'} {self.metric}"

    def merit(self, figures: Figures) -> Merit:
        return merit(figures[self.metric][0], None, None, higher=self.better == "higher")


@dataclass(frozen=True, kw_only=True)
class Objectives:
    """One or several objectives, and the bounds of what counts as feasible."""

    optimized: tuple[Objective, ...]
    budgets: tuple[DeploymentLimit, ...] = ()

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of all metrics that have to be measured, objectives first."""
        bounded = (budget.metric for budget in self.budgets)
        return tuple(dict.fromkeys((*(objective.metric for objective in self.optimized), *bounded)))

    def misses(self, figures: Figures) -> tuple[float, ...]:
        """For each bound by how much it is missed, as a share of the limit; 0 where it holds."""
        return tuple(budget.miss(figures[budget.metric][0]) for budget in self.budgets)

    def feasible(self, figures: Figures) -> bool:
        return not any(self.misses(figures))

    def best(self, found: Iterable[Figures]) -> list[bool]:
        """Which of these no other one beats in the objectives."""
        return [
            bool(on) for on in front([tuple(objective.merit(one) for objective in self.optimized) for one in found])
        ]

    def front(self, found: Iterable[Figures]) -> list[bool]:
        """Which of these no other one beats in the objectives and the bounded metrics together."""
        by_metric = {objective.metric: objective for objective in (*map(_as_objective, self.budgets), *self.optimized)}
        return [
            bool(on) for on in front([tuple(objective.merit(one) for objective in by_metric.values()) for one in found])
        ]


def _as_objective(budget: DeploymentLimit) -> Objective:
    return Objective(metric=budget.metric, unit=budget.unit, better="lower" if budget.upper else "higher")


def parse_objectives(
    minimise: Iterable[str] = (),
    maximise: Iterable[str] = (),
    budgets: Iterable[str] = (),
    keep: Iterable[str] = (),
    *,
    known: Mapping[str, Metric] = METRICS,
) -> Objectives:
    """The objectives that a command line names.

    Raises `UsageError` for an unknown metric, a wrong direction, no objective or one twice.
    """
    objectives = [_objective(name, "lower", known) for name in minimise]
    objectives += [_objective(name, "higher", known) for name in maximise]
    if not objectives:
        raise UsageError("no objective: name a metric, as in --minimise latency or --maximise speedup")
    names = [objective.metric for objective in objectives]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise UsageError(f"{twice} is an objective twice; name it once")
    return Objectives(optimized=tuple(objectives), budgets=parse_budgets(budgets, keep, known=known))


def _objective(name: str, better: Better, known: Mapping[str, Metric]) -> Objective:
    row = find_metric(name, known)
    if row.better != better:
        less, option = ("less", "--minimise") if row.better == "lower" else ("more", "--maximise")
        raise UsageError(f"of {row.name} {less} is better; write {option} {name}")
    return Objective(metric=row.name, unit=row.unit, better=row.better)
