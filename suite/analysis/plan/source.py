"""Where cells come from: a run's folder, a CSV file, a pandas table."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, Union

from suite.analysis.plan.cells import Cells, gathered
from suite.analysis.plan.table import of_table
from suite.core.errors import ResultsError, unknown
from suite.core.records import Measurement, RunHeader
from suite.report.endings import unfinished
from suite.report.frames import suspicion
from suite.report.results.folder import RESULTS, RunFolder
from suite.report.same_seeds import same_seeds

if TYPE_CHECKING:
    import pandas as pd

CSV = "results.csv"
Source: TypeAlias = Union[Cells, RunFolder, Path, str, "pd.DataFrame"]


def cells(source: Source, *, score: str | None = None) -> Cells:
    """The cells of a `RunFolder`, of the path of one or of a ``results.csv``, or of a pandas table.

    A table holds a row for each cell and metric, or a row for each cell and a column for each metric, see
    `suite.analysis.plan.table`. ``score`` names the primary score of all workloads; by default it is the run's own, or
    the first of the catalogue that was measured. Raises `ResultsError` for what cannot be read and `UsageError` for a
    table that is none.
    """
    found = _read(source)
    if not found.figures:
        raise ResultsError("no measured cell to choose among; run `suite bench` first")
    if score is None:
        return found
    return replace(found, scores={cell.workload: _checked(score, found) for cell in found.figures})


def _read(source: Source) -> Cells:
    if isinstance(source, Cells):
        return source
    if isinstance(source, RunFolder):
        return _of_run(source)
    if not isinstance(source, str | Path):
        return of_table(source)
    path = Path(source)
    if not (path / RESULTS).exists() and (path / CSV).is_file():  # a reference run is kept without its records
        path = path / CSV
    return _of_csv(path) if path.suffix == ".csv" else _of_run(RunFolder.open(path))


def _of_run(folder: RunFolder) -> Cells:
    scores = {workload: names[0] for workload, names in folder.header.scores.items() if names}
    measured = [_sound(folder.header, one) for one in same_seeds(folder.measurements())]
    found = gathered(measured, scores=scores, failures=folder.failures(), header=folder.header)
    return replace(found, problem=unfinished(folder))


def _sound(header: RunHeader, found: Measurement) -> Measurement:
    """A figure as plans may use it: marked if the process was not quiet."""
    return replace(found, suspect=suspicion(header, found))


def _of_csv(path: Path) -> Cells:
    import pandas as pd  # heavy

    try:
        table = pd.read_csv(path, dtype={"unit": str})
    except (OSError, ValueError) as error:  # pandas' own errors are ValueErrors
        raise ResultsError(f"cannot read {path}: {error}; give a results folder or its results.csv") from error
    return of_table(table)


def _checked(score: str, found: Cells) -> str:
    measured = {name for by_metric in found.figures.values() for name in by_metric}
    if score not in measured:
        raise unknown("score", score, measured)
    return score
