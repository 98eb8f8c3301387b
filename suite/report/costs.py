"""What a cell costs, by the user's prices: derived when a table is made, and never stored or gated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from suite.core.prices import Prices

MILLION = 1e6
COSTS = ("training_cost", "training_cost_low", "training_cost_high", "cost_per_million", "currency")
"""Columns of a table with prices: of one training, of a million served items, and the name of their currency."""


class CostFigure(Protocol):
    """A metric of a cell."""

    @property
    def value(self) -> float | None: ...
    @property
    def low(self) -> float | None: ...
    @property
    def high(self) -> float | None: ...
    @property
    def suspect(self) -> str | None: ...


def costs(by_metric: Mapping[str, CostFigure], prices: Prices) -> dict[str, float | str | None]:
    """The `COSTS` of a cell, from its ``train_seconds`` (mean over seeds) and ``throughput`` (items/s).

    A cost is ``None`` where its metric was not measured or is suspect, or where no hour is priced.
    """
    second = prices.second
    known: list[float | None] = [None] * 4
    if second is not None:
        known = [*_of_training(by_metric, second), _of_a_million(by_metric, second)]
    values: list[float | str | None] = [*known, prices.currency]
    return dict(zip(COSTS, values, strict=True))


def _of_training(by_metric: Mapping[str, CostFigure], second: float) -> list[float | None]:
    seconds = by_metric.get("train_seconds")
    if seconds is None or seconds.suspect:
        return [None] * 3
    return [None if end is None else end * second for end in (seconds.value, seconds.low, seconds.high)]


def _of_a_million(by_metric: Mapping[str, CostFigure], second: float) -> float | None:
    rate = by_metric.get("throughput")
    if rate is None or rate.suspect or not rate.value or rate.value < 0:
        return None
    return MILLION / rate.value * second
