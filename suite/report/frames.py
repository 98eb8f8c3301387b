"""One run as a tidy frame: one row per cell and metric, ready for pandas and for CSV."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from suite.core.metrics import METRICS, is_paired
from suite.core.records import Cell, Measurement, RunHeader, Verdict, VerdictKind
from suite.core.sweeps import is_number, parameters, sweeps

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

COLUMNS = (
    "workload",
    "technique",
    "control",
    "device",
    "precision",
    "machine",
    "metric",
    "value",
    "low",
    "high",
    "unit",
    "better",
    "tier",
    "batch",
    "verdict",
    "stale",
    "detectable",
    "suspect",
    "seeds",
    "arguments",
)
NUMBERS = frozenset({"value", "low", "high", "batch", "detectable"})
FLAGS = frozenset({"stale"})
UNQUIET = "not timed in a quiet process"
PLAIN = "fp32"  # of what the header names no precision for

SEVERITY = (
    VerdictKind.ERROR,
    VerdictKind.REGRESSED,
    VerdictKind.MISSING,
    VerdictKind.IMPROVED,
    VerdictKind.XPASS,
    VerdictKind.INCONCLUSIVE,
    VerdictKind.UNVERIFIED,
    VerdictKind.UNAVAILABLE,
    VerdictKind.XFAIL,
    VerdictKind.PASS,
)
"""Kinds of verdict, worst first."""


def tidy(header: RunHeader, measurements: Iterable[Measurement], verdicts: Iterable[Verdict]) -> pd.DataFrame:
    """One row per measurement, then one without value for each verdict that has no measurement here.

    The verdict on a group of metrics (unavailable, error) has the group's name as its metric. Texts that are absent
    are NaN, as `pandas.read_csv` gives them back. ``arguments`` holds the composition's parameters as JSON
    by ``technique.parameter``; each that the run sweeps has a column of that name as well (`swept`).
    """
    measured = {(found.cell, found.metric): found for found in measurements}
    judged = {(verdict.cell, verdict.metric or verdict.group): verdict for verdict in verdicts}
    rows = [_row(header, cell, metric, measured, judged) for cell, metric in dict.fromkeys([*measured, *judged])]
    numbers, texts = swept(row["technique"] for row in rows)
    rows = [row | parameters(row["technique"]) for row in rows]
    return typed(rows, (*COLUMNS, *numbers, *texts), numbers=NUMBERS | set(numbers), flags=FLAGS)


def swept(compositions: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The parameters, as ``technique.parameter``, in which compositions differ while all else is equal.

    First those whose values are all numbers, then those with others (their columns hold texts).
    """
    known = list(dict.fromkeys(compositions))
    names = list(dict.fromkeys(sweep.name for sweep in sweeps(known, least=2)))
    values = {name: [own[name] for own in map(parameters, known) if name in own] for name in names}
    numbers = tuple(name for name in names if all(map(is_number, values[name])))
    return numbers, tuple(name for name in names if name not in numbers)


def worst(kinds: Iterable[str]) -> VerdictKind | None:
    """The worst of some kinds of verdict; ``None`` if there is none."""
    return min((VerdictKind(kind) for kind in kinds), key=SEVERITY.index, default=None)


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a frame as dictionaries, ``None`` where a value is missing."""
    names = [str(name) for name in table.columns]
    columns = [
        [None if gone else value for value, gone in zip(table[name].tolist(), table[name].isna().tolist(), strict=True)]
        for name in table.columns
    ]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def typed(
    rows: Iterable[dict[str, Any]], columns: Iterable[str], *, numbers: frozenset[str], flags: frozenset[str]
) -> pd.DataFrame:
    """A frame whose types do not depend on its rows: ``numbers`` float64, ``flags`` bool, the rest text."""
    import pandas as pd  # heavy

    text = pd.Series(["text"]).dtype  # `str` since pandas 3, `object` before
    kinds: dict[str, Any] = {
        name: "float64" if name in numbers else "bool" if name in flags else text for name in columns
    }
    known = list(rows)
    filled = {name: pd.Series([row.get(name) for row in known], dtype=kind) for name, kind in kinds.items()}
    return pd.DataFrame(filled, columns=list(kinds))


def _row(
    header: RunHeader,
    cell: Cell,
    metric: str,
    measured: dict[tuple[Cell, str], Measurement],
    judged: dict[tuple[Cell, str], Verdict],
) -> dict[str, Any]:
    measurement, verdict = measured.get((cell, metric)), judged.get((cell, metric))
    known = measurement or METRICS.get(metric)
    return {
        "workload": cell.workload,
        "technique": cell.technique,
        "control": measurement and measurement.control,
        "device": cell.device,
        "precision": header.precisions.get(cell.technique, PLAIN),
        "machine": header.where.machine,
        "metric": metric,
        "value": measurement and measurement.value,
        "low": measurement and measurement.low,
        "high": measurement and measurement.high,
        "unit": known and known.unit,
        "better": known and known.better,
        "tier": known and known.tier,
        "batch": measurement and measurement.conditions.get("batch"),
        "verdict": verdict and verdict.kind.value,
        "stale": verdict is not None and verdict.stale,
        "detectable": verdict and verdict.detectable,
        "suspect": measurement and suspicion(header, measurement),
        "seeds": " ".join(map(str, measurement.seeds)) or None if measurement else None,
        "arguments": as_json(cell.technique),
    }


def suspicion(header: RunHeader, measurement: Measurement) -> str | None:
    """Why a timing cannot be trusted, whatever its verdict is; ``None`` if nothing disturbed it."""
    if measurement.suspect or header.quiet or not is_paired(measurement.metric):
        return measurement.suspect
    return UNQUIET


@lru_cache(maxsize=65536)
def as_json(composition: str) -> str | None:
    """A composition's parameters as JSON by ``technique.parameter``; ``None`` where it has none."""
    found = parameters(composition)
    return json.dumps(found) if found else None
