"""Budgets: bounds that a metric has to keep, and whether a measured figure keeps them surely, perhaps or not."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from suite.core.errors import UsageError, unknown
from suite.core.metrics import METRICS, current
from suite.core.records import Measurement, Metric
from suite.core.units.quantities import parse_quantity, spell

ALIASES = {
    "bytes": "artefact_bytes",
    "size": "artefact_bytes",
    "memory": "peak_memory_inference",
    "latency": "latency_p50",
}
"""Short names: those that the tables of `suite report` show, and ``bytes``."""

VARYING_UNITS = frozenset({"s", "1/s", "J"})  # never the same twice, unlike counts
_BUDGET = re.compile(r"\s*([^<>=\s]+)\s*(<=|>=|=)\s*(.*)", re.DOTALL)


class LimitCheck(StrEnum):
    """How a figure stands to a budget."""

    SURELY = "surely"
    PERHAPS = "perhaps"
    OVER = "over"
    SUSPECT = "disturbed"
    UNMEASURED = "not measured"


@dataclass(frozen=True, kw_only=True)
class DeploymentLimit:
    """A bound, inclusive, in the metric's ``unit``: at most ``limit`` where less is ``better``, else at least."""

    metric: str
    limit: float
    unit: str
    better: str

    def __str__(self) -> str:
        return f"{self.metric} {'<=' if self.upper else '>='} {spell(self.limit, self.unit)}"

    @property
    def upper(self) -> bool:
        return self.better == "lower"

    def holds(self, value: float) -> bool:
        return value <= self.limit if self.upper else value >= self.limit

    def excess(self, value: float) -> float:
        """By how much a figure misses, in the unit; at most 0 where it fits."""
        return value - self.limit if self.upper else self.limit - value

    def miss(self, value: float) -> float:
        """The excess as a share of the limit, to compare budgets of different units; 0 where it fits."""
        excess = max(0.0, self.excess(value))
        return excess / abs(self.limit) if self.limit else float("inf") if excess else 0.0

    def used(self, value: float) -> float | None:
        """The share of the budget that a figure uses, 1 at the limit; `None` where no share makes sense.

        Of a lower bound: the limit over the figure. A difference can be negative and has no share.
        """
        part, whole = (value, self.limit) if self.upper else (self.limit, value)
        return None if part < 0 or whole <= 0 else part / whole


def fit(budget: DeploymentLimit, figure: Measurement | None) -> LimitCheck:
    """How one cell's figure stands to a budget: surely where its whole interval keeps it and it can be trusted.

    A figure that varies but brings no interval fits perhaps at best; one that something disturbed is not used.
    """
    if figure is None:
        return LimitCheck.UNMEASURED
    if figure.suspect:
        return LimitCheck.SUSPECT
    if not budget.holds(figure.value):
        return LimitCheck.OVER
    ends = [end for end in (figure.low, figure.high) if end is not None]
    sure = all(map(budget.holds, ends)) and (ends or not varies(figure))
    return LimitCheck.SURELY if sure else LimitCheck.PERHAPS


def varies(figure: Measurement) -> bool:
    """Whether another run of the same code would give another figure: a timing, or one whose noise was seen."""
    return bool(figure.noise) or figure.group == "speed" or figure.unit in VARYING_UNITS


def parse_budgets(
    budgets: Iterable[str], at_least: Iterable[str] = (), *, known: Mapping[str, Metric] = METRICS
) -> tuple[DeploymentLimit, ...]:
    """The bounds of ``metric=quantity``: upper ones, then lower ones; a budget may spell ``<=`` or ``>=``.

    Raises `UsageError` for an unknown metric, a unit that does not fit it, a bound on the side that needs none, and
    a metric that is bounded twice.
    """
    found = [_parsed(text, "<=", known) for text in budgets] + [_parsed(text, ">=", known) for text in at_least]
    refuse_twice(found)
    return tuple(found)


def refuse_twice(budgets: Iterable[DeploymentLimit]) -> None:
    """Refuse two bounds of one metric: one of them would never matter."""
    seen: dict[str, DeploymentLimit] = {}
    for budget in budgets:
        if budget.metric in seen:
            raise UsageError(f"{budget.metric} is bounded twice, by {seen[budget.metric]} and {budget}; keep one")
        seen[budget.metric] = budget


def _parsed(text: str, side: str, known: Mapping[str, Metric]) -> DeploymentLimit:
    found = _BUDGET.fullmatch(text)
    if found is None:
        raise UsageError(f"{text!r} is no budget; write one like bytes=100kB or 'speedup>=1.5'")
    row = find_metric(found[1], known)
    given = side if found[2] == "=" else found[2]
    _check_side(row, given, found[3])
    limit = parse_quantity(found[3], metric=row.name, unit=row.unit)
    return DeploymentLimit(metric=row.name, limit=limit, unit=row.unit, better=row.better)


def find_metric(name: str, known: Mapping[str, Metric]) -> Metric:
    """The metric of a name or of one of its short forms. Raises `UsageError` with the nearest ones for another."""
    full = name if name in known else ALIASES.get(name, current(name))
    if full not in known:
        raise unknown("metric", name, [*known, *ALIASES])
    return known[full]


def _check_side(row: Metric, side: str, limit: str) -> None:
    if (row.better == "lower") == (side == "<="):
        return
    other = "lower" if row.better == "lower" else "upper"
    option = "--budget" if row.better == "lower" else "--at-least"
    raise UsageError(
        f"of {row.name} {'less' if other == 'lower' else 'more'} is better, so a {other} bound would "
        f"leave out the best; write {option} {row.name}={limit}"
    )
