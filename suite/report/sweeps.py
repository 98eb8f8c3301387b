"""A run's sweeps for people: one table for each parameter that the run measured at three values or more."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from suite.core.choosing import judged_on
from suite.core.sweeps import Sweep, sweeps
from suite.core.units.values import percent, plain, size
from suite.report.columns import ENDS, Column, Row, is_share, present, speedup_column, verdict_of
from suite.report.foreign import code
from suite.report.frames import records
from suite.report.pipe_table import pipe_table

if TYPE_CHECKING:
    import pandas as pd

    from suite.report.results.lines import Judged

GAP = "  "
WIDTH = 80
ON_TEST = (
    "Scores of sweeps are those of the test items: a value that they choose looks better than it is; "
    "`suite search` chooses on validation items."
)


@dataclass(frozen=True, kw_only=True)
class SweepBlock:
    """One sweep on one device: the parameter's values ``at`` [n], and the rows [n] of the trade-off table."""

    workload: str
    device: str
    sweep: Sweep
    at: tuple[Any, ...]
    rows: tuple[Row, ...]

    @property
    def title(self) -> str:
        return f"{self.workload} on {self.device}: {self.sweep.rest} along {self.sweep.parameter}"


def blocks(table: pd.DataFrame | list[Row]) -> list[SweepBlock]:
    """The sweeps of a trade-off table, by workload and device, in order of first appearance."""
    places: dict[tuple[str, str], dict[str, Row]] = {}
    for row in records(table):
        places.setdefault((row["workload"], row["device"]), {})[row["technique"]] = row
    return [
        SweepBlock(
            workload=workload,
            device=device,
            sweep=sweep,
            at=tuple(points),
            rows=tuple(rows[name] for name in points.values()),
        )
        for (workload, device), rows in places.items()
        for sweep, points in sweeps(rows).items()
    ]


def text(table: pd.DataFrame | list[Row], verdicts: Iterable[Judged] = ()) -> str:
    """The tables for the terminal, aligned, each below its title; empty where there is no sweep.

    Below a table stand the ``verdicts`` on its shape.
    """
    known, found = [one for one in verdicts if one.shape is not None], blocks(table)
    parts = [
        "\n".join([block.title, *_aligned(cells(block)), *(f"{GAP}{line}" for line in judged(block, known))])
        for block in found
    ]
    return "\n\n".join([*parts, *(textwrap.fill(line, WIDTH) for line in _warning(found))])


def markdown(table: pd.DataFrame | list[Row], verdicts: Iterable[Judged] = ()) -> str:
    """The same as Markdown below a heading."""
    known, found = [one for one in verdicts if one.shape is not None], blocks(table)
    parts = [
        "\n\n".join(
            filter(
                None, [_marked(block), _table(cells(block)), "\n".join(f"- {line}" for line in judged(block, known))]
            )
        )
        for block in found
    ]
    return "\n\n".join(["## Sweeps", *parts, *_warning(found)]) + "\n" if parts else ""


def _warning(found: Iterable[SweepBlock]) -> list[str]:
    """What a choice by these scores would rest on; nothing where none was measured on test items."""
    tested = [block for block in found if judged_on(block.workload) == "test" and _scored(block)]
    return [ON_TEST] if tested else []


def _scored(block: SweepBlock) -> bool:
    score = block.rows[0]["score"]
    return score is not None and any(row.get(score) is not None for row in block.rows)


def judged(block: SweepBlock, verdicts: Iterable[Judged]) -> list[str]:
    """A line for each shape that is expected of a sweep, with its verdict."""
    points = {row["technique"] for row in block.rows}
    return [
        f"{found.shape.metric} {found.shape.shape}, slack {found.shape.slack:g}: {found.kind}"
        for found in verdicts
        if found.shape is not None
        and (found.cell.workload, found.cell.device) == (block.workload, block.device)
        and set(found.sweep) <= points
        and found.shape.along in (block.sweep.parameter, block.sweep.name)
    ]


def cells(block: SweepBlock) -> list[list[str]]:
    """The block as columns of text, each with its title first."""
    columns = present([*_score(block.rows), _SIZE, speedup_column(block.rows), _VERDICT], block.rows)
    first = [block.sweep.parameter, *(f"{value:g}" if isinstance(value, float) else str(value) for value in block.at)]
    return [first, *([column.title, *(column.show(row) for row in block.rows)] for column in columns)]


_SIZE = Column(title="artefact", show=lambda row: size(row["artefact_bytes"]), figure="artefact_bytes")
_VERDICT = Column(title="verdict", show=verdict_of)


def _score(rows: Sequence[Row]) -> Iterator[Column]:
    """The primary score with its interval."""
    score = rows[0]["score"]
    if score is None:
        return
    share, unit = is_share(rows), rows[0]["score_unit"] or "1"

    def shown(value: float | None) -> str:
        return percent(value) if share else plain(value, unit)

    def show(row: Row) -> str:
        value, low, high = (row[score + end] for end in ENDS)
        return shown(value) + ("" if low is None or high is None else f" [{shown(low)}, {shown(high)}]")

    yield Column(title=score.replace("_", " "), show=show, figure=score)


def _marked(block: SweepBlock) -> str:
    return f"{code(block.sweep.rest)} along {code(block.sweep.parameter)}, {block.workload} on {block.device}:"


def _aligned(columns: list[list[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in columns]
    for line in zip(*columns, strict=True):
        texts = (text.rjust(width) for text, width in zip(line[:-1], widths[:-1], strict=True))
        yield GAP + GAP.join([*texts, line[-1]])


def _table(columns: list[list[str]]) -> str:
    titles, *rows = zip(*columns, strict=True)
    return pipe_table(titles, rows, alignment=["right"] * (len(columns) - 1) + ["left"])
