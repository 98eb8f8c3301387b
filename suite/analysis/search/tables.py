"""The front of a search as a table: in the terminal, as Markdown and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from suite.analysis.search.objectives import Objectives
from suite.analysis.search.optimize import MeasuredComposition
from suite.core.metrics import metric
from suite.core.units.quantities import spell
from suite.report.pipe_table import pipe_table
from suite.report.results.folder import replace_file

NAME = "front"


def front(found: Sequence[MeasuredComposition], objectives: Objectives) -> list[MeasuredComposition]:
    """What no other composition beats in objectives and bounds, best in the first objective first."""
    on = [one for one, keeps in zip(found, objectives.front([one.figures for one in found]), strict=True) if keeps]
    return sorted(on, key=lambda one: -objectives.optimized[0].merit(one.figures).value)


def winners(found: Sequence[MeasuredComposition], objectives: Objectives) -> list[MeasuredComposition]:
    """The feasible compositions that no other feasible one beats in the objectives, best in the first one first."""
    fitting = [one for one in found if objectives.feasible(one.figures)]
    best = [one for one, keeps in zip(fitting, objectives.best([one.figures for one in fitting]), strict=True) if keeps]
    return sorted(best, key=lambda one: -objectives.optimized[0].merit(one.figures).value)


def lines(rows: Sequence[MeasuredComposition], objectives: Objectives) -> list[str]:
    """The table for a terminal, one line a composition, columns aligned."""
    table = [_titles(objectives), *(_cells(one, objectives) for one in rows)]
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table]


def markdown(rows: Sequence[MeasuredComposition], objectives: Objectives) -> str:
    return pipe_table(_titles(objectives), [_cells(one, objectives) for one in rows]) + "\n"


def as_csv(rows: Sequence[MeasuredComposition], objectives: Objectives) -> str:
    """Values, ends of intervals (empty where a figure has none) in the metrics' own units."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    ends = [f"{name}{end}" for name in objectives.metrics for end in ("", "_low", "_high")]
    writer.writerow(["composition", "feasible", *ends])
    for one in rows:
        figures = [end for name in objectives.metrics for end in one.figures[name]]
        writer.writerow([one.composition, objectives.feasible(one.figures), *figures])
    return file.getvalue()


def write(folder: Path, rows: Sequence[MeasuredComposition], objectives: Objectives, note: str) -> tuple[Path, ...]:
    """Write ``front.md``, with a ``note`` below the table, and ``front.csv`` into a run's folder."""
    paths = folder / f"{NAME}.md", folder / f"{NAME}.csv"
    replace_file(paths[0], f"{markdown(rows, objectives)}\n{note}\n".encode())
    replace_file(paths[1], as_csv(rows, objectives).encode())
    return paths


def _titles(objectives: Objectives) -> list[str]:
    return ["composition", *objectives.metrics, "feasible"]


def _cells(one: MeasuredComposition, objectives: Objectives) -> list[str]:
    values = [spell(one.figures[name][0], metric(name).unit) for name in objectives.metrics]
    return [one.composition, *values, "yes" if objectives.feasible(one.figures) else "no"]
