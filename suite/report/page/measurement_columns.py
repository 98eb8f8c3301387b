"""The table of all measurements: one row for each metric of each cell, with its stored value and bounds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import attrgetter
from typing import Any

from suite.core.metrics import SHARES
from suite.core.records import Measurement, Verdict
from suite.report.frames import suspicion
from suite.report.page.cell_columns import PERCENT
from suite.report.page.packing import PageColumn
from suite.report.page.run_content import RunContent, labels

Entry = tuple[RunContent, str, Measurement, Verdict | None]
"""A measurement with its run, the run's label and its verdict."""


def measurement_columns(runs: Sequence[RunContent]) -> list[PageColumn]:
    """All columns, values as measured; those of expectations are empty for what was not compared."""
    entries = [entry for run, label in zip(runs, labels(runs), strict=True) for entry in _entries(run, label)]
    several = len(runs) > 1
    return [
        _text(entries, "workload", lambda one: one[2].cell.workload, default=True, choice=True),
        _text(entries, "technique", lambda one: one[2].cell.technique, default=True),
        _text(entries, "machine", lambda one: one[1], default=several, choice=True),
        _text(entries, "metric", lambda one: one[2].metric, default=True, choice=True),
        *_values(entries),
        _text(entries, "verdict", lambda one: one[3] and one[3].kind.value, default=True, choice=True),
        _text(entries, "device", lambda one: one[2].cell.device, choice=True),
        _text(entries, "tier", lambda one: one[2].tier, choice=True),
        _text(entries, "better", lambda one: one[2].better),
        _text(entries, "control", lambda one: one[2].control),
        _text(entries, "disturbed", lambda one: suspicion(one[0].header, one[2])),
        _text(entries, "unit", _unit, hidden=True),
    ]


def _entries(run: RunContent, label: str) -> Iterator[Entry]:
    judged = {(one.cell, one.metric): one for one in run.verdicts if one.shape is None}
    for found in run.measurements:
        yield run, label, found, judged.get((found.cell, found.metric))


def _values(entries: Sequence[Entry]) -> Iterator[PageColumn]:
    """The value with its interval, the stored value with its bounds, and what the measurement could have found."""
    measured = {name: attrgetter(name) for name in ("value", "low", "high")}
    stored = {f"stored_{name}": attrgetter(name) for name in ("value", "low", "high")}
    for name, get in measured.items():
        values = [get(found) for _, _, found, _ in entries]
        yield _number(name, "value", values, ends=("low", "high"), hidden=name != "value")
    known = [verdict and verdict.expectation for *_, verdict in entries]
    titles = {"stored_value": "stored value", "stored_low": "lower bound", "stored_high": "upper bound"}
    for name, get in stored.items():
        values = [None if one is None else get(one) for one in known]
        yield _number(name, titles[name], values, default=name != "stored_high")
    found_from = [verdict and verdict.detectable for *_, verdict in entries]
    yield PageColumn(name="detectable", title="minimum detectable loss", values=found_from, show="percent")


def _number(name: str, title: str, values: list[Any], **how: Any) -> PageColumn:
    if name != "value":
        how.pop("ends", None)
    how.setdefault("default", name == "value")
    return PageColumn(name=name, title=title, values=values, show="value", unit="unit", **how)


def _unit(entry: Entry) -> str:
    _, _, found, _ = entry
    return PERCENT if found.metric in SHARES or found.share else found.unit


def _text(entries: Sequence[Entry], name: str, get: Any, **how: Any) -> PageColumn:
    return PageColumn(name=name, title=name, values=[get(one) or None for one in entries], **how)
