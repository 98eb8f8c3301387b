"""The page of ``suite report --page``: runs, and beside them judged claims, changes of histories, learning curves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from suite.core.errors import SuiteError

if TYPE_CHECKING:
    import pandas as pd

    from suite.report.columns import Row
    from suite.report.page import RunContent
    from suite.report.page.claims_section import ClaimsTable
    from suite.report.page.findings import PageFindings
    from suite.report.page.history_plots import ChangedRun
    from suite.report.page.sweep_plots import LearningCurve
    from suite.report.results.folder import RunFolder

POINT = {"at": "amount", "quality": "quality", "low": "low", "high": "high"}
"""Columns of a table of means, by their names in a `LearningCurve`."""


def write_page(folders: Sequence[RunFolder], reports_dir: Path, tables: Sequence[pd.DataFrame]) -> list[Path]:
    """The page and, with matplotlib, its picture: of a run in its folder, of several in the folder of reports.

    ``tables`` are the runs' trade-offs.
    """
    from suite.report.page import PAGE, RunContent, picture, write

    runs = [RunContent.read(folder, table) for folder, table in zip(folders, tables, strict=True)]
    place = folders[0].path if len(folders) == 1 else reports_dir
    drawn = picture.draw(runs, place / picture.PICTURE)
    return [write(runs, place / PAGE, findings(runs, reports_dir)), *([drawn] if drawn else [])]


def findings(runs: Iterable[RunContent], reports_dir: Path) -> PageFindings:
    """The claims judged below ``reports_dir`` and the flagged changes of the runs' machines."""
    from suite.report.page.findings import PageFindings

    folders = {(run.folder.path.parent, run.machine) for run in runs}
    changes = frozenset(change for folder, machine in folders for change in _changes(folder, machine))
    return PageFindings(claims=_readable_claims(reports_dir / "claims"), changes=changes, curves=_curves(reports_dir))


def _changes(reports_dir: Path, machine: str) -> list[ChangedRun]:
    """The entries at which `suite trend` flags a change."""
    from suite.report.history.file import path_of, read

    entries, _ = read(path_of(reports_dir, machine))
    if not entries:
        return []
    from suite.analysis.trend.trend import runs_of, series_of  # loads ruptures

    flagged = [series for series in series_of(runs_of(entries)) if series.flagged]
    return [(machine, series.entries[change.at].key) for series in flagged for change in series.found]


def _readable_claims(folder: Path) -> ClaimsTable | None:
    """The claims, or ``None`` and a line that says why: the rest of the page does not depend on them."""
    try:
        return _claims(folder)
    except SuiteError as error:
        print(f"no claims on the page: {error}")
        return None


def _claims(folder: Path) -> ClaimsTable | None:
    """The latest ledger of each machine in the folder, or in a folder in it; ``None`` where no claim was judged."""
    from suite.claims.store import NAME, JudgedLedger

    paths = sorted({*folder.glob(NAME), *folder.glob(f"*/{NAME}")})
    if not paths:
        return None
    from suite.claims import matrix
    from suite.cli.claims_ledger import claims_of
    from suite.report.page.claims_section import ClaimsTable

    ledgers = sorted((JudgedLedger.read(path) for path in paths), key=lambda ledger: ledger.started)
    latest = [ledger for _, ledger in sorted({ledger.machine: ledger for ledger in ledgers}.items())]
    machines = [ledger.machine for ledger in latest]
    judged = [transfer for transfer in matrix.matrix(claims_of(), latest) if transfer.on]
    return ClaimsTable(machines=machines, rows=matrix.rows(judged, machines))


def _curves(reports_dir: Path) -> list[LearningCurve]:
    """The curves of the latest `suite curves run`, as its report wrote them; none where there is no such run."""
    files = sorted(reports_dir.glob("*-curves/means.csv"))
    if not files:
        return []
    try:
        return _read_curves(files[-1])
    except (ValueError, KeyError) as error:  # empty, no CSV, another file's columns
        print(f"no learning curves on the page: {files[-1]}: {error}; run `suite curves report` again")
        return []


def _read_curves(path: Path) -> list[LearningCurve]:
    """Raises `KeyError` for a column that is not there, `ValueError` for what is no table of numbers."""
    import pandas as pd  # heavy

    from suite.report.frames import records
    from suite.report.page.sweep_plots import LearningCurve

    own: dict[tuple[str, str, str], list[Row]] = {}
    for row in records(pd.read_csv(path).astype(dict.fromkeys(POINT.values(), "float64"))):
        own.setdefault((row["workload"], row["resource_name"], row["score"]), []).append(row)
    return [
        LearningCurve(title=f"{workload} along {resource}", resource=resource, score=score, **_points(rows))
        for (workload, resource, score), rows in own.items()
    ]


def _points(rows: Iterable[Row]) -> dict[str, list[Any]]:
    """The amounts, means and ends of intervals of one curve."""
    given = list(rows)
    return {name: [row[column] for row in given] for name, column in POINT.items()}
