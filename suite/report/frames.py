"""One run as a tidy frame: one row per cell and metric, ready for pandas and for CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from suite.core.garbage import uncollected
from suite.core.metrics import METRICS, is_paired
from suite.core.records import Cell, Measurement, RunHeader, VerdictKind
from suite.core.sweeps import is_number, parameters, sweeps
from suite.report.results.lines import Judged

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
Pair = tuple[Cell, str, Measurement | None, Judged | None]
"""A cell, its metric (or group, of a verdict on a whole group), what was measured and the verdict on it."""

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


def tidy(header: RunHeader, measurements: Iterable[Measurement], verdicts: Iterable[Judged]) -> pd.DataFrame:
    """One row per measurement, then one without value for each verdict that has no measurement here.

    The verdict on a group of metrics (unavailable, error) has the group's name as its metric. Texts that are absent
    are NaN, as `pandas.read_csv` gives them back. ``arguments`` holds the composition's parameters as JSON
    by ``technique.parameter``; each that the run sweeps has a column of that name as well (`swept`).
    """
    with uncollected():
        pairs = paired(measurements, verdicts)
        columns = _columns(header, pairs)
        compositions = {name: parameters(name) for name in dict.fromkeys(columns["technique"])}
        numbers, texts = swept(compositions)
        for name in (*numbers, *texts):
            columns[name] = [compositions[technique].get(name) for technique in columns["technique"]]
        return typed(columns, numbers=NUMBERS | set(numbers), flags=FLAGS)


def paired(measurements: Iterable[Measurement], verdicts: Iterable[Judged]) -> list[Pair]:
    """Each measurement with its verdict, then the verdicts that have no measurement here."""
    judged = {(verdict.cell, verdict.metric or verdict.group): verdict for verdict in verdicts}
    measured = {(found.cell, found.metric): found for found in measurements}
    pairs: list[Pair] = [(*key, found, judged.pop(key, None)) for key, found in measured.items()]
    return pairs + [(*key, None, verdict) for key, verdict in judged.items()]


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
    return [dict(zip(names, row, strict=True)) for row in zip(*_plain(table), strict=True)]


def typed(columns: Mapping[str, Sequence[Any]], *, numbers: frozenset[str], flags: frozenset[str]) -> pd.DataFrame:
    """A frame whose types do not depend on its rows: ``numbers`` float64, ``flags`` bool, the rest text."""
    import pandas as pd  # heavy

    text = pd.Series(["text"]).dtype  # `str` since pandas 3, `object` before
    kinds: dict[str, Any] = {
        name: "float64" if name in numbers else "bool" if name in flags else text for name in columns
    }
    filled = {name: pd.Series(columns[name], dtype=kind) for name, kind in kinds.items()}
    return pd.DataFrame(filled, columns=list(kinds))


def to_csv(table: pd.DataFrame) -> bytes:
    """A frame as CSV, as `pandas.DataFrame.to_csv` without its index writes it, in a fifth of the time."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table.columns)
    writer.writerows(zip(*_plain(table), strict=True))
    return text.getvalue().encode()


def _plain(table: pd.DataFrame) -> list[list[Any]]:
    """The values of each column, ``None`` where one is missing."""
    return [
        [None if gone else value for value, gone in zip(table[name].tolist(), table[name].isna().tolist(), strict=True)]
        for name in table.columns
    ]


def _columns(header: RunHeader, pairs: Sequence[Pair]) -> dict[str, list[Any]]:
    """The columns `COLUMNS`, in that order."""
    known = _of_cells(header, [cell for cell, _, _, _ in pairs])
    known["metric"] = [metric for _, metric, _, _ in pairs]
    known |= _of_measurements(header, pairs) | _of_verdicts([verdict for _, _, _, verdict in pairs])
    return {name: known[name] for name in COLUMNS}


def _of_cells(header: RunHeader, cells: Sequence[Cell]) -> dict[str, list[Any]]:
    techniques = [cell.technique for cell in cells]
    return {
        "workload": [cell.workload for cell in cells],
        "technique": techniques,
        "device": [cell.device for cell in cells],
        "precision": [header.precisions.get(technique, PLAIN) for technique in techniques],
        "machine": [header.where.machine] * len(cells),
        "arguments": [as_json(technique) for technique in techniques],
    }


def _of_measurements(header: RunHeader, pairs: Sequence[Pair]) -> dict[str, list[Any]]:
    measured = [found for _, _, found, _ in pairs]
    known = [found or METRICS.get(metric) for _, metric, found, _ in pairs]
    columns: dict[str, list[Any]] = {
        name: [found and getattr(found, name) for found in measured] for name in ("control", "value", "low", "high")
    }
    columns |= {name: [one and getattr(one, name) for one in known] for name in ("unit", "better", "tier")}
    columns["batch"] = [found and found.conditions.get("batch") for found in measured]
    columns["suspect"] = [found and suspicion(header, found) for found in measured]
    columns["seeds"] = [found and (as_text(found.seeds) or None) for found in measured]
    return columns


def _of_verdicts(judged: Sequence[Judged | None]) -> dict[str, list[Any]]:
    return {
        "verdict": [verdict and verdict.kind.value for verdict in judged],
        "stale": [verdict is not None and verdict.stale for verdict in judged],
        "detectable": [verdict and verdict.detectable for verdict in judged],
    }


@lru_cache(maxsize=1024)
def as_text(seeds: tuple[int, ...]) -> str:
    """Seeds as ``0 1 2``."""
    return " ".join(map(str, seeds))


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
