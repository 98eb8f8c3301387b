"""The front of a search as a table: in the terminal, as Markdown and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from suite.analysis.search.objectives import Aims
from suite.analysis.search.optimize import MeasuredComposition
from suite.core.metrics import metric
from suite.core.units.quantities import spell
from suite.report.pipe_table import pipe_table
from suite.report.results.folder import replace_file

NAME = "front"


def front(found: Sequence[MeasuredComposition], aims: Aims) -> list[MeasuredComposition]:
    """What no other composition beats in objectives and bounds, best in the first objective first."""
    on = [one for one, keeps in zip(found, aims.front([one.figures for one in found]), strict=True) if keeps]
    return sorted(on, key=lambda one: -aims.objectives[0].merit(one.figures).value)


def winners(found: Sequence[MeasuredComposition], aims: Aims) -> list[MeasuredComposition]:
    """The feasible compositions that no other feasible one beats in the objectives, best in the first one first."""
    fitting = [one for one in found if aims.feasible(one.figures)]
    best = [one for one, keeps in zip(fitting, aims.best([one.figures for one in fitting]), strict=True) if keeps]
    return sorted(best, key=lambda one: -aims.objectives[0].merit(one.figures).value)


def lines(rows: Sequence[MeasuredComposition], aims: Aims) -> list[str]:
    """The table for a terminal, one line a composition, columns aligned."""
    table = [_titles(aims), *(_cells(one, aims) for one in rows)]
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table]


def markdown(rows: Sequence[MeasuredComposition], aims: Aims) -> str:
    return pipe_table(_titles(aims), [_cells(one, aims) for one in rows]) + "\n"


def as_csv(rows: Sequence[MeasuredComposition], aims: Aims) -> str:
    """Values, ends of intervals (empty where a figure has none) in the metrics' own units."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    ends = [f"{name}{end}" for name in aims.metrics for end in ("", "_low", "_high")]
    writer.writerow(["composition", "feasible", *ends])
    for one in rows:
        figures = [end for name in aims.metrics for end in one.figures[name]]
        writer.writerow([one.composition, aims.feasible(one.figures), *figures])
    return file.getvalue()


def write(folder: Path, rows: Sequence[MeasuredComposition], aims: Aims, note: str) -> tuple[Path, ...]:
    """Write ``front.md``, with a ``note`` below the table, and ``front.csv`` into a run's folder."""
    paths = folder / f"{NAME}.md", folder / f"{NAME}.csv"
    replace_file(paths[0], f"{markdown(rows, aims)}\n{note}\n".encode())
    replace_file(paths[1], as_csv(rows, aims).encode())
    return paths


def _titles(aims: Aims) -> list[str]:
    return ["composition", *aims.metrics, "feasible"]


def _cells(one: MeasuredComposition, aims: Aims) -> list[str]:
    values = [spell(one.figures[name][0], metric(name).unit) for name in aims.metrics]
    return [one.composition, *values, "yes" if aims.feasible(one.figures) else "no"]
