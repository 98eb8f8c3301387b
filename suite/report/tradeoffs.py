"""What each cell trades for what: one row per cell, for people and for spreadsheets; which are Pareto-optimal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from suite.core.composition import BASELINE
from suite.core.errors import ResultsError
from suite.core.garbage import uncollected
from suite.core.metrics import ENERGIES, ENERGY, METRICS, VS_CONTROL
from suite.core.stats.smallest import smallest_effect
from suite.core.sweeps import parameters
from suite.report.columns import ENDS, SMALLEST
from suite.report.costs import COSTS, costs
from suite.report.csv_text import columns_csv, number_fields, text_fields
from suite.report.endings import unfinished_of
from suite.report.engine_tables import engines_csv, engines_markdown, gains_of
from suite.report.foreign import inline
from suite.report.frames import (
    COLUMNS,
    NUMBERS,
    TidyColumns,
    as_json,
    paired,
    row_values,
    swept,
    tidy_columns,
    typed,
    worst,
)
from suite.report.markdown import to_markdown
from suite.report.pareto import Merit, front, merit
from suite.report.results.folder import RunFolder, last_measurements, last_verdicts, replace_file
from suite.report.results.lines import BriefVerdict
from suite.report.same_seeds import lines as seed_lines
from suite.report.same_seeds import same_seeds
from suite.report.sweeps import markdown as sweeps_markdown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    import pandas as pd

    from suite.core.prices import Prices
    from suite.core.records import Measurement

KEYS = ("workload", "technique", "device")
SPEEDS = (
    "speedup",
    "speedup_vs_channels_last",
    "speed_vs_kernel",
    "speedup_b1",
    "speedup_saturated",
    "train_step_speedup",
)
"""Each has beside it the loss that the gate finds, ``<name>_detectable``, and what disturbed it, ``<name>_suspect``."""
METRIC_COLUMNS = (
    "output_error",
    "artefact_bytes",
    "entropy_bytes",
    "parameters",
    "macs",
    *SPEEDS,
    "device_share",
    "held_memory_inference",
    "peak_memory_inference",
    "held_memory_training",
    "peak_memory_training",
    *ENERGIES,
)
PER_CORRECT = "energy_per_correct"
DERIVED = {
    **{name: (f"{name}_suspect",) for name in ENERGIES},
    ENERGY: (f"{ENERGY}_suspect", PER_CORRECT),
    "artefact_bytes": ("bytes_ratio",),
    **{name: (f"{name}_detectable", f"{name}_suspect") for name in SPEEDS},
    "speedup": ("speedup_low", "speedup_high", "speedup_batch", "speedup_detectable", "speedup_suspect"),
}
SUSPECTS = tuple(f"{name}_suspect" for name in (*SPEEDS, *ENERGIES))
TEXTS = (*KEYS, "control", "score", "score_unit", "score_better", "verdict", "arguments", "currency", *SUSPECTS)
OLD_SCORE = "accuracy"  # of runs whose header does not name the scores yet
RIGHT = "accuracy"  # the share of items whose answer is correct


def columns(scores: Iterable[str], *, priced: bool = False) -> tuple[str, ...]:
    """The columns of a table whose workloads have these primary scores; those of costs only where it is ``priced``."""
    figures = [
        name
        for score in dict.fromkeys(scores)
        for name in (
            *(f"{score}{part}{end}" for part in ("", VS_CONTROL) for end in ENDS),
            f"{score}{VS_CONTROL}{SMALLEST}",
            f"{score}_detectable",
        )
    ]
    metrics = [name for metric in METRIC_COLUMNS for name in (metric, *DERIVED.get(metric, ()))]
    texts = ("workload", "technique", "control", "device", "score", "score_unit", "score_better")
    return (*texts, *figures, *metrics, *(COSTS if priced else ()), "pareto", "verdict", "stale", "arguments")


def tradeoffs(
    frame: pd.DataFrame, scores: Mapping[str, tuple[str, ...]] | None = None, prices: Prices | None = None
) -> pd.DataFrame:
    """One row per cell of a tidy frame of one run, in order of appearance; its columns are those of `columns`.

    After them comes one for each parameter that the run sweeps, as in `tidy`.

    ``scores`` are the header's: the scores of each workload, the primary one first. ``score`` is the primary one and
    ``<score>``, ``<score>_vs_control`` its figures; ``<score>_vs_control_smallest`` is the smallest difference that the
    cell could have shown (`suite.core.stats.smallest`). ``energy_per_correct`` is joules of an item / accuracy.
    ``bytes_ratio`` is baseline bytes / bytes. ``pareto`` is empty (``pandas.NA``) where a figure that it needs is
    missing. ``verdict`` is the cell's worst, ``stale`` whether any is. With ``prices`` (`Prices.at` the run's machine)
    there are the columns of `suite.report.costs`, and ``attrs["prices"]`` says where they come from. Raises
    `ResultsError` for several machines.
    """
    machines = frame["machine"].unique()
    if len(machines) > 1:
        raise ResultsError(f"one table holds one machine, got {', '.join(machines)}; select one with frame.query(...)")
    figures = frame[list(_Figure._fields)]
    return _table(map(_Figure._make, row_values(figures)), scores or {}, prices).frame()


@dataclass(frozen=True, kw_only=True)
class TradeoffTable:
    """The rows of a trade-off table, ``None`` where a value is missing, with the kind of each column.

    ``columns`` are all names in order, ``numbers`` those of numbers. ``prices`` says where prices come from, empty
    without any.
    """

    rows: list[dict[str, Any]]
    columns: tuple[str, ...]
    numbers: frozenset[str]
    prices: str = ""

    def frame(self) -> pd.DataFrame:
        """As pandas has it; ``attrs`` has the prices."""
        filled = {name: [row[name] for row in self.rows] for name in self.columns}
        optimal = filled["pareto"]
        table = typed(filled, numbers=self.numbers, flags=frozenset({"stale"}))
        table["pareto"] = _flags(optimal, table.index)
        table.attrs["prices"] = self.prices
        return table

    def csv(self) -> bytes:
        """As `suite.report.csv_text.to_csv` writes the frame."""
        values = {name: [row[name] for row in self.rows] for name in self.columns}
        fields = {name: (number_fields if name in self.numbers else text_fields) for name in self.columns}
        return columns_csv({name: fields[name](values[name]) for name in self.columns})


def _flags(flags: Sequence[bool | None], index: Any) -> pd.Series[Any]:
    """Flags of which some are missing."""
    import pandas as pd  # heavy

    return pd.Series(flags, index=index, dtype="boolean")


def _table(figures: Iterable[_Figure], scores: Mapping[str, tuple[str, ...]], prices: Prices | None) -> TradeoffTable:
    cells = _cells(figures)
    primary = _primary(cells, scores)
    about = {workload: _about(cells, workload, score) for workload, score in primary.items()}
    rows = [_row(key, cell, about.get(key[0], {}), prices) for key, cell in cells.items()]
    _add_ratios(rows)
    _add_front(rows)
    numeric, texts = swept(technique for _, technique, _ in cells)
    names = tuple(dict.fromkeys((*columns(primary.values(), priced=prices is not None), *numeric, *texts)))
    numbers = frozenset(names) - {*TEXTS, *texts, "pareto", "stale"}
    whole = [_plain(row | parameters(row["technique"]), names, numbers, texts) for row in rows]
    return TradeoffTable(rows=whole, columns=names, numbers=numbers, prices="" if prices is None else str(prices))


def _plain(
    row: Mapping[str, Any], names: Iterable[str], numbers: frozenset[str], texts: Sequence[str]
) -> dict[str, Any]:
    """The row with all ``names``: numbers as floats, swept parameters that are no numbers as texts."""
    whole = {name: row.get(name) for name in names}
    whole |= {name: float(value) for name in numbers if (value := whole[name]) is not None}
    return whole | {name: str(value) for name in texts if (value := whole[name]) is not None}


def write(folder: RunFolder, prices: Prices | None = None) -> tuple[Path, Path, Path]:
    """Write ``results.csv``, ``tradeoffs.csv`` and ``tradeoffs.md`` of a run into its folder; returns their paths.

    A run of other engines than eager torch gets ``engines.csv`` as well. Costs are there with the ``prices`` of the
    run's machine.
    """
    return write_rows(folder, prices)[0]


def write_and_keep(folder: RunFolder, prices: Prices | None = None) -> tuple[tuple[Path, Path, Path], pd.DataFrame]:
    """As `write`, and returns the trade-off table as well, for the page of the same records."""
    paths, table = write_rows(folder, prices)
    return paths, table.frame()


def write_rows(folder: RunFolder, prices: Prices | None = None) -> tuple[tuple[Path, Path, Path], TradeoffTable]:
    """The same without pandas, which is not loaded."""
    results, csv, markdown = (folder.path / name for name in ("results.csv", "tradeoffs.csv", "tradeoffs.md"))
    with uncollected():
        table, contents = _contents(folder, prices)
        for path, content in zip((results, csv, markdown, folder.path / "engines.csv"), contents, strict=True):
            if content is not None:
                replace_file(path, content)
    return (results, csv, markdown), table


def _contents(folder: RunFolder, prices: Prices | None) -> tuple[TradeoffTable, tuple[bytes | None, ...]]:
    """The trade-off table, and the contents of the files in their order; ``None`` for one that has nothing to say."""
    header, everything = folder.header, folder.brief()
    measurements = last_measurements(everything)
    verdicts = last_verdicts(found for found in everything if isinstance(found, BriefVerdict))
    pairs = paired(measurements, verdicts)
    tidied = tidy_columns(header, pairs)
    reduced = same_seeds(measurements)
    is_whole = all(one is other for one, other in zip(reduced, measurements, strict=True))
    compared = tidied if is_whole else tidy_columns(header, paired(reduced, verdicts))
    table = _table(_figures(compared), header.scores, prices)
    notes = _notes(measurements, reduced, unfinished_of(header, everything))
    notes += [] if prices is None else [f"prices: {inline(str(prices))}"]
    gains = gains_of(header, measurements)
    rows = table.rows
    parts = [to_markdown(rows, header, null_arms=notes), engines_markdown(gains), sweeps_markdown(rows, verdicts)]
    csvs = (_values_csv(tidied), table.csv())
    return table, (*csvs, "\n".join(filter(None, parts)).encode(), engines_csv(gains))


def _figures(tidied: TidyColumns) -> Iterable[_Figure]:
    return map(_Figure._make, zip(*map(tidied.of, _Figure._fields), strict=True))


def _values_csv(tidied: TidyColumns) -> bytes:
    """All values, as `suite.report.csv_text.to_csv` writes the tidy frame."""
    fields = {name: (number_fields if name in NUMBERS else text_fields)(values) for name, values in tidied.rows.items()}
    for name in (name for name in COLUMNS if name in tidied.cells):
        own = text_fields(tidied.cells[name])
        fields[name] = [own[place] for place in tidied.places]
    kinds = {name: number_fields if name in tidied.numbers else _texts for name in tidied.swept}
    joined = list(map(",".join, zip(*[kinds[name](tidied.cells[name]) for name in tidied.swept], strict=True)))
    swept_fields = [joined[place] for place in tidied.places] if joined else []
    return columns_csv({name: fields[name] for name in COLUMNS}, swept_fields, tidied.swept)


def _texts(values: Sequence[Any]) -> list[str]:
    return text_fields([None if value is None else str(value) for value in values])


def _notes(measurements: Sequence[Measurement], reduced: Sequence[Measurement], problem: str) -> list[str]:
    """Lines about the run as a whole: its null arms, the seeds that its tables compare, what it lacks."""
    from suite.core.stats import null_arm  # loads numpy

    return [*null_arm.lines(measurements), *seed_lines(measurements, reduced), *([f"**{problem}**"] if problem else [])]


# -- rows -------------------------------------------------------------------------------------------------------------


def _primary(cells: Cells, scores: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """The primary score of each workload that has one, as far as it was measured in runs that do not name it."""
    workloads = dict.fromkeys(workload for workload, _, _ in cells)
    known = {name: scores[name][:1] for name in workloads if name in scores}
    accurate = {key[0]: (OLD_SCORE,) for key, cell in cells.items() if any(map(_is_old_score, cell))}
    old = {name: first for name, first in accurate.items() if name not in scores}
    return {name: first[0] for name, first in (old | known).items() if first}


def _is_old_score(figure: _Figure) -> bool:
    return figure.metric == OLD_SCORE and figure.value is not None


def _about(cells: Cells, workload: str, score: str) -> dict[str, Any]:
    """What a workload's primary score is, also for those of its cells that brought none."""
    own = [one for key, cell in cells.items() if key[0] == workload for one in cell if one.metric == score]
    known = METRICS.get(score)
    unit = next((one.unit for one in own if one.unit), known and known.unit)
    better = next((one.better for one in own if one.better), known and known.better)
    return {"score": score, "score_unit": unit, "score_better": better}


class _Figure(NamedTuple):
    """A row of a tidy frame, as far as a table is made of it."""

    workload: str
    technique: str
    device: str
    metric: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    unit: str | None = None
    better: str | None = None
    batch: float | None = None
    control: str | None = None
    verdict: str | None = None
    stale: bool = False
    detectable: float | None = None
    suspect: str | None = None


NONE = _Figure("", "", "", "")  # of a metric that a cell does not have


Cells = dict[tuple[str, str, str], list[_Figure]]
"""The rows of each cell, by workload, technique and device."""


def _cells(figures: Iterable[_Figure]) -> Cells:
    """In order of first appearance."""
    cells: Cells = {}
    for figure in figures:
        cells.setdefault((figure.workload, figure.technique, figure.device), []).append(figure)
    return cells


def _row(key: tuple[str, ...], cell: list[_Figure], about: Mapping[str, Any], prices: Prices | None) -> dict[str, Any]:
    score = about.get("score")
    by_metric = {figure.metric: figure for figure in cell}
    row: dict[str, Any] = dict(zip(KEYS, key, strict=True))
    row |= {name: by_metric.get(name, NONE).value for name in METRIC_COLUMNS}
    row |= {**about, **_intervals(by_metric, "speedup"), **_score(by_metric, score)}
    row["speedup_batch"] = by_metric.get("speedup", NONE).batch
    row |= {f"{name}_detectable": by_metric.get(name, NONE).detectable for name in SPEEDS}
    row |= {name: by_metric.get(name.removesuffix("_suspect"), NONE).suspect for name in SUSPECTS}
    row[PER_CORRECT] = _per_correct(by_metric)
    row |= {} if prices is None else costs(by_metric, prices)
    row["control"] = _control(by_metric, score)
    verdict = worst({figure.verdict for figure in cell if figure.verdict})
    row["verdict"] = verdict and verdict.value
    row["stale"] = any(figure.stale for figure in cell)
    row["arguments"] = as_json(row["technique"])
    return row


def _per_correct(by_metric: Mapping[str, _Figure]) -> float | None:
    """Joules of an item / the share of correct answers; `None` without a valid reading or a correct answer."""
    joules, right = by_metric.get(ENERGY, NONE), by_metric.get(RIGHT, NONE).value
    return joules.value / right if joules.value is not None and not joules.suspect and right else None


def _intervals(by_metric: Mapping[str, _Figure], name: str) -> dict[str, Any]:
    figure = by_metric.get(name, NONE)
    return dict(zip((f"{name}{end}" for end in ENDS), (figure.value, figure.low, figure.high), strict=True))


def _score(by_metric: Mapping[str, _Figure], score: str | None) -> dict[str, Any]:
    if score is None:
        return {}
    detectable, versus = by_metric.get(score, NONE).detectable, score + VS_CONTROL
    smallest = _smallest(by_metric.get(versus, NONE))
    figures = {f"{score}_detectable": detectable, versus + SMALLEST: smallest}
    return _intervals(by_metric, score) | _intervals(by_metric, versus) | figures


def _smallest(figure: _Figure) -> float | None:
    """The smallest difference that this one could have shown; ``None`` without an interval."""
    if figure.value is None or figure.low is None or figure.high is None:
        return None
    return smallest_effect(figure.value, figure.low, figure.high)


def _control(by_metric: Mapping[str, _Figure], score: str | None) -> str | None:
    """What quality is compared with; the control of another metric only where that is not known."""
    figures = [by_metric.get(f"{score}{VS_CONTROL}", NONE), *by_metric.values()]
    return next((figure.control for figure in figures if figure.control), None)


def _add_ratios(rows: Iterable[dict[str, Any]]) -> None:
    rows = list(rows)
    baselines = {
        (row["workload"], row["device"]): row["artefact_bytes"] for row in rows if row["technique"] == BASELINE
    }
    for row in rows:
        baseline, own = baselines.get((row["workload"], row["device"])), row["artefact_bytes"]
        row["bytes_ratio"] = baseline / own if baseline and own else None


# -- the front --------------------------------------------------------------------------------------------------------


def _add_front(rows: list[dict[str, Any]]) -> None:
    places: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in rows:
        places.setdefault((row["workload"], row["device"]), []).append(row)
    for here in places.values():
        for row, best in zip(here, front(list(map(_merits, here))), strict=True):
            row["pareto"] = best


def _merits(row: dict[str, Any]) -> tuple[Merit, ...] | None:
    """The figures that cells are compared in; ``None`` if one is missing."""
    score = row.get("score")
    higher = {"artefact_bytes": False, "speedup": True} | ({score: row["score_better"] != "lower"} if score else {})
    if any(row.get(name) is None for name in higher):
        return None
    if row["technique"] == BASELINE:
        row = row | {"speedup": 1.0, "speedup_low": None, "speedup_high": None}  # by definition
    elif row.get("speedup_suspect"):
        return None
    return tuple(
        merit(row[name], row.get(f"{name}_low"), row.get(f"{name}_high"), higher=better)
        for name, better in higher.items()
    )
