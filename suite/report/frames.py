"""One run as a tidy frame: one row per cell and metric, ready for pandas and for CSV."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from suite.core.garbage import uncollected
from suite.core.metrics import METRICS, is_paired
from suite.core.records import Cell, Measurement, RunHeader, VerdictKind
from suite.core.sweeps import is_number, parameters, sweeps
from suite.report.results.folder import METRIC_OF_CELL
from suite.report.results.lines import Judged

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

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
OWN_NAMES = ("control", "value", "low", "high", "unit", "better", "tier", "seeds", "suspect", "conditions")
"""What a row takes from its measurement."""
OWN = attrgetter(*OWN_NAMES)
NAMES = attrgetter("workload", "technique", "device", "ranks")
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
    import pandas as pd  # heavy

    with uncollected():
        found = tidy_columns(header, paired(measurements, verdicts))
        cells = typed(found.cells, numbers=found.numbers, flags=frozenset())
        repeated = cells.take(found.places).reset_index(drop=True)  # few, and repeated
        frame = pd.concat([repeated, typed(found.rows, numbers=NUMBERS, flags=FLAGS)], axis=1)
        return frame[[*COLUMNS, *found.swept]]


@dataclass(frozen=True, kw_only=True)
class TidyColumns:
    """The columns of a tidy frame, as lists: ``rows`` [n] differ within a cell, ``cells`` [m] do not.

    ``places`` [n] has the cell of each row; ``numbers`` names those columns of ``cells`` that hold numbers.
    """

    rows: Mapping[str, list[Any]]
    cells: Mapping[str, list[Any]]
    places: Sequence[int]
    numbers: frozenset[str]

    @property
    def swept(self) -> list[str]:
        """The parameters that the run sweeps."""
        return [name for name in self.cells if name not in COLUMNS]

    def of(self, name: str) -> list[Any]:
        """One column [n]."""
        if name in self.rows:
            return self.rows[name]
        values = self.cells[name]
        return [values[place] for place in self.places]


def tidy_columns(header: RunHeader, pairs: Sequence[Pair]) -> TidyColumns:
    """What `tidy` makes a frame of, without pandas, which takes longer to load than most runs to read."""
    places: dict[tuple[Any, ...], int] = {}
    taken = [places.setdefault(NAMES(cell), len(places)) for cell, _, _, _ in pairs]
    own = [Cell(workload=name, technique=text, device=device, ranks=ranks) for name, text, device, ranks in places]
    cells, numbers = _of_cells(header, own)
    return TidyColumns(rows=_columns(header, pairs), cells=cells, places=taken, numbers=numbers)


def paired(measurements: Iterable[Measurement], verdicts: Iterable[Judged]) -> list[Pair]:
    """Each measurement with its verdict, then the verdicts that have no measurement here."""
    judged = {_judged_key(verdict): verdict for verdict in verdicts}
    measured = {METRIC_OF_CELL(found): found for found in measurements}
    pairs: list[Pair] = [(found.cell, found.metric, found, judged.pop(key, None)) for key, found in measured.items()]
    return pairs + [(verdict.cell, verdict.metric or verdict.group, None, verdict) for verdict in judged.values()]


def _judged_key(verdict: Judged) -> tuple[Any, ...]:
    key: tuple[Any, ...] = METRIC_OF_CELL(verdict)
    return key if verdict.metric else (*key[:-1], verdict.group)


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


def records(table: pd.DataFrame | list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows of a frame as dictionaries, ``None`` where a value is missing; rows are returned as they are."""
    if isinstance(table, list):
        return table
    names = [str(name) for name in table.columns]
    return [dict(zip(names, row, strict=True)) for row in row_values(table)]


def row_values(table: pd.DataFrame) -> Iterator[tuple[Any, ...]]:
    """The values of each row, ``None`` where one is missing."""
    return zip(*[_values(table[name]) for name in table.columns], strict=True)


def typed(columns: Mapping[str, Sequence[Any]], *, numbers: frozenset[str], flags: frozenset[str]) -> pd.DataFrame:
    """A frame whose types do not depend on its rows: ``numbers`` float64, ``flags`` bool, the rest text."""
    import pandas as pd  # heavy

    text = pd.Series(["text"]).dtype  # `str` since pandas 3, `object` before
    kinds: dict[str, Any] = {
        name: "float64" if name in numbers else "bool" if name in flags else text for name in columns
    }
    filled = {name: pd.Series(columns[name], dtype=kind) for name, kind in kinds.items()}
    return pd.DataFrame(filled, columns=list(kinds))


def _values(column: pd.Series[Any]) -> list[Any]:
    missing, values = column.isna(), column.tolist()
    if not missing.any():
        return values
    return [None if gone else value for value, gone in zip(values, missing.tolist(), strict=True)]


def _columns(header: RunHeader, pairs: Sequence[Pair]) -> dict[str, list[Any]]:
    """Those of `COLUMNS` that differ within a cell."""
    known: dict[str, list[Any]] = {"metric": [metric for _, metric, _, _ in pairs]}
    return known | _of_measurements(header, pairs) | _of_verdicts([verdict for _, _, _, verdict in pairs])


def _of_cells(header: RunHeader, cells: Sequence[Cell]) -> tuple[dict[str, list[Any]], frozenset[str]]:
    """Those that a cell has once, and the parameters that the run sweeps; and which of them are numbers."""
    techniques = [cell.technique for cell in cells]
    columns: dict[str, list[Any]] = {
        "workload": [cell.workload for cell in cells],
        "technique": techniques,
        "device": [cell.device for cell in cells],
        "precision": [header.precisions.get(technique, PLAIN) for technique in techniques],
        "machine": [header.where.machine] * len(cells),
        "arguments": [as_json(technique) for technique in techniques],
    }
    compositions = {name: parameters(name) for name in dict.fromkeys(techniques)}
    numbers, texts = swept(compositions)
    for name in (*numbers, *texts):
        columns[name] = [compositions[technique].get(name) for technique in techniques]
    return columns, frozenset(numbers)


def _of_measurements(header: RunHeader, pairs: Sequence[Pair]) -> dict[str, list[Any]]:
    rows = [_unmeasured(metric) if found is None else OWN(found) for _, metric, found, _ in pairs]
    values = zip(*rows, strict=True) if rows else [()] * len(OWN_NAMES)
    columns: dict[str, list[Any]] = dict(zip(OWN_NAMES, map(list, values), strict=True))
    columns["batch"] = [conditions.get("batch") for conditions in columns.pop("conditions")]
    if not header.quiet:
        columns["suspect"] = [found and suspicion(header, found) for _, _, found, _ in pairs]
    columns["seeds"] = [as_text(seeds) or None for seeds in columns["seeds"]]
    return columns


def _unmeasured(metric: str) -> tuple[Any, ...]:
    """What is known of a metric of which there is only a verdict, as `OWN_NAMES`."""
    known = METRICS.get(metric)
    about = (None, None, None) if known is None else (known.unit, known.better, known.tier)
    return (None, None, None, None, *about, (), None, {})


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
