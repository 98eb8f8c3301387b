"""Plain pandas tables as cells: long (a row for each cell and metric) or wide (a column for each metric)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, get_args

from suite.analysis.plan.cells import UNKNOWN, Cells, gathered
from suite.core.errors import ResultsError, UsageError, unknown
from suite.core.metrics import METRICS
from suite.core.records import TIERS, Better, Cell, Measurement
from suite.report.frames import records

if TYPE_CHECKING:
    import pandas as pd

Row = Mapping[str, Any]
LONG = ("technique", "metric", "value")
ENDS = ("_low", "_high")


def of_table(table: pd.DataFrame) -> Cells:
    """The cells of a table.

    Long: the columns ``technique``, ``metric``, ``value`` and, where they are there, ``workload``, ``device``, ``low``,
    ``high``, ``unit``, ``better``, ``tier``, ``control``, ``suspect``, like ``results.csv``. Wide: ``technique`` and a
    column for each metric of the catalogue, with ``<metric>_low``, ``<metric>_high`` and ``<metric>_suspect``, like
    ``tradeoffs.csv``; its columns ``score`` and ``control`` are read too, others are not. Raises `UsageError` for
    anything else.
    """
    if not hasattr(table, "columns") or "technique" not in table.columns:
        raise UsageError("a table of cells needs a column 'technique'; it has " + _columns(table))
    rows = [{str(key): value for key, value in row.items()} for row in records(table)]
    _refuse_machines(rows)
    if "metric" in table.columns:
        return gathered(_distinct(_long(rows)))
    scores = {_cell(row).workload: str(row["score"]) for row in rows if row.get("score")}
    return gathered(_distinct(_wide(rows, [str(column) for column in table.columns])), scores=scores)


def _columns(table: Any) -> str:
    return ", ".join(map(str, getattr(table, "columns", ()))) or "none"


def _refuse_machines(rows: Iterable[Row]) -> None:
    machines = sorted({str(row["machine"]) for row in rows if row.get("machine")})
    if len(machines) > 1:
        raise ResultsError(f"one plan is about one machine, got {', '.join(machines)}; select one")


def _long(rows: Iterable[Row]) -> Iterator[Measurement]:
    for row in rows:
        for name in LONG[:2]:
            if not row.get(name):
                raise UsageError(f"a row of the table has no {name}: {dict(row)}")
        if row.get("value") is not None:  # a verdict without a figure
            yield _measurement(row, str(row["metric"]), row.get("low"), row.get("high"), row["value"])


def _wide(rows: Iterable[Row], columns: Iterable[str]) -> Iterator[Measurement]:
    names = [name for name in columns if name in METRICS]
    if not names:
        raise UsageError("a table with a row for each cell needs a column that is a metric; see `suite list metrics`")
    for row in rows:
        for name in names:
            if row.get(name) is not None:
                plain = {key: row.get(key) for key in ("workload", "technique", "device", "control")}
                plain["suspect"] = row.get(f"{name}_suspect")
                yield _measurement(plain, name, row.get(f"{name}_low"), row.get(f"{name}_high"), row[name])


def _measurement(row: Row, metric: str, low: Any, high: Any, value: Any) -> Measurement:
    known = METRICS.get(metric)
    if known is None and not (row.get("unit") and row.get("better")):
        raise unknown("metric", metric, METRICS)
    unit = _unit(row.get("unit"))
    if known is not None and unit not in (None, known.unit):
        raise UsageError(
            f"{metric} is in {unit} in the table, but in {known.unit} everywhere else; convert that column"
        )
    return Measurement(
        cell=_cell(row),
        metric=metric,
        value=_number(value, metric, "value"),
        low=None if low is None else _number(low, metric, "low"),
        high=None if high is None else _number(high, metric, "high"),
        unit=known.unit if known else str(unit),
        better=known.better if known else _choice(row["better"], get_args(Better), metric),
        tier=known.tier if known else _choice(row.get("tier") or "local", TIERS, metric),
        group=known.group if known else "quality",
        control=_text(row.get("control")),
        suspect=_text(row.get("suspect")),
    )


def _cell(row: Row) -> Cell:
    workload, device = row.get("workload") or UNKNOWN, row.get("device") or UNKNOWN
    return Cell(workload=str(workload), technique=str(row["technique"]), device=str(device))


def _number(value: Any, metric: str, what: str) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise UsageError(
            f"the {what} of {metric} must be a finite number, got {value!r}; leave out rows without a value"
        )
    return number


def _choice(value: Any, known: tuple[Any, ...], metric: str) -> Any:
    if value not in known:
        raise UsageError(f"{metric}: {value!r} is none of {', '.join(known)}; mend that column")
    return value


def _unit(value: Any) -> str | None:
    """A unit as text; a column of ones was read as numbers."""
    return f"{value:g}" if isinstance(value, int | float) else _text(value)


def _text(value: Any) -> str | None:
    return str(value) if value else None


def _distinct(found: Iterable[Measurement]) -> Iterator[Measurement]:
    seen = set()
    for measurement in found:
        key = (measurement.cell, measurement.metric)
        if key in seen:
            raise UsageError(f"{measurement.metric} of {measurement.cell} is twice in the table; keep one row")
        seen.add(key)
        yield measurement
