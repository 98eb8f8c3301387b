"""The table of all measurements: one row for each metric of each cell, with its stored value and bounds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any

from suite.core.metrics import SHARES
from suite.report.frames import suspicion
from suite.report.page.cell_columns import PERCENT
from suite.report.page.packing import PageColumn
from suite.report.page.run_content import JudgedMeasurement, RunContent, labelled

Rows = Sequence[JudgedMeasurement]


def measurement_columns(runs: Sequence[RunContent]) -> list[PageColumn]:
    """All columns, values as measured; those of expectations are empty for what was not compared."""
    rows = [row for run, label in labelled(runs) for row in run.judged(label)]
    return [
        _text(rows, "workload", attrgetter("measurement.cell.workload"), default=True, choice=True),
        _text(rows, "technique", attrgetter("measurement.cell.technique"), default=True),
        _text(rows, "machine", attrgetter("label"), default=len(runs) > 1, choice=True),
        _text(rows, "metric", attrgetter("measurement.metric"), default=True, choice=True),
        *_measured(rows),
        *_stored(rows),
        _text(rows, "verdict", lambda row: row.verdict and row.verdict.kind.value, default=True, choice=True),
        _text(rows, "device", attrgetter("measurement.cell.device"), choice=True),
        _text(rows, "tier", attrgetter("measurement.tier"), choice=True),
        _text(rows, "better", attrgetter("measurement.better")),
        _text(rows, "control", attrgetter("measurement.control")),
        _text(rows, "disturbed", lambda row: suspicion(row.run.header, row.measurement)),
        _text(rows, "unit", _unit, hidden=True),
    ]


def _measured(rows: Rows) -> list[PageColumn]:
    """The value, and the ends of its interval."""
    measured = [row.measurement for row in rows]
    return [
        _number("value", "value", [m.value for m in measured], default=True, ends=("low", "high")),
        _number("low", "lower end", [m.low for m in measured], hidden=True),
        _number("high", "upper end", [m.high for m in measured], hidden=True),
    ]


def _stored(rows: Rows) -> list[PageColumn]:
    """The stored value with its bounds, and the loss that the measurement could have found."""
    stored = [row.stored for row in rows]
    detectable = [row.verdict and row.verdict.detectable for row in rows]
    return [
        _number("stored_value", "stored value", [s and s.value for s in stored], default=True),
        _number("stored_low", "lower bound", [s and s.low for s in stored], default=True),
        _number("stored_high", "upper bound", [s and s.high for s in stored]),
        PageColumn(name="detectable", title="minimum detectable loss", values=detectable, show="percent"),
    ]


def _unit(row: JudgedMeasurement) -> str:
    is_share = row.measurement.metric in SHARES or row.measurement.share
    return PERCENT if is_share else row.measurement.unit


def _number(name: str, title: str, values: list[Any], **how: Any) -> PageColumn:
    return PageColumn(name=name, title=title, values=values, show="value", unit="unit", **how)


def _text(rows: Rows, name: str, get: Callable[[JudgedMeasurement], Any], **how: Any) -> PageColumn:
    return PageColumn(name=name, title=name, values=[get(row) or None for row in rows], **how)
