"""The trade-off table for the terminal: aligned, no line wider than the terminal, what is left out is said."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from suite.report.columns import Column, Row, groups, suspicions, terminal_layouts
from suite.report.foreign import printable
from suite.report.frames import records

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import pandas as pd

GAP = "  "
TITLE = "technique"
SHORTEST_NAME = 20  # columns are left out before the names of techniques become shorter than this


def table(tradeoffs_frame: pd.DataFrame, width: int) -> str:
    """The trade-off tables, each below a line for its workload and device; ``width`` in characters.

    Workloads of the same score and batch share one. In a narrow terminal figures are left out (a line below says
    which), then names of techniques are shortened in their middle. Names (of nine characters at least) and verdicts
    always stay.
    """
    parts = [_group(rows, width) for rows in groups(records(tradeoffs_frame))]
    return "\n\n".join(parts) or f"{GAP}{TITLE}{GAP}verdict"


def _group(rows: list[Row], width: int) -> str:
    names = [printable(row["technique"]) for row in rows]
    layouts = terminal_layouts(rows)
    for layout in layouts:
        columns = {column.title: [column.title, *(column.show(row) for row in rows)] for column in layout}
        room = width - len(GAP) - sum(len(GAP) + max(map(len, column)) for column in columns.values())
        short = [_shorten(name, max(room, len(TITLE))) for name in names]
        if room >= min(SHORTEST_NAME, max(map(len, names))) and len(set(short)) == len(set(names)):
            break
    heading, *lines = _aligned([TITLE, *short], columns)
    titles = [printable(f"{row['workload']} on {row['device']}") for row in rows]
    doubts = [line for text in suspicions(rows) for line in textwrap.wrap(f"{GAP}{text}", width, subsequent_indent=GAP)]
    return "\n".join([heading, *_grouped(titles, lines), *doubts, *_left_out(layouts[0], layout, width)])


def _aligned(names: list[str], columns: dict[str, list[str]]) -> list[str]:
    """Lines of names and figures, verdicts to the left, other figures to the right; the first line is the heading."""
    cells = [[name.ljust(max(map(len, names))) for name in names]]
    for title, column in columns.items():
        taken = max(map(len, column))
        cells.append([text.ljust(taken) if title == "verdict" else text.rjust(taken) for text in column])
    return [(GAP + GAP.join(line)).rstrip() for line in zip(*cells, strict=True)]


def _grouped(titles: list[str], lines: list[str]) -> Iterator[str]:
    groups: dict[str, list[str]] = {}
    for title, line in zip(titles, lines, strict=True):
        groups.setdefault(title, [title]).append(line)
    return (line for group in groups.values() for line in group)


def _left_out(whole: Sequence[Column], shown: Iterable[Column], width: int) -> list[str]:
    """The columns that a narrow terminal does not show, and the file that has them."""
    shown = list(shown)
    kept = {title for column in shown for title in (column.title, *column.covers)}
    gone = [column.title for column in whole if column.title not in kept]
    narrower = any(column.title in kept and column not in shown for column in whole)
    what = gone + ["some intervals"] * narrower
    if not what:
        return []
    return textwrap.wrap(
        f"{GAP}not shown at this width: {', '.join(what)}; see tradeoffs.md", width, subsequent_indent=GAP
    )


def _shorten(name: str, room: int) -> str:
    """``name`` in at most ``room`` characters: both its beginning and its last parameters tell it from others."""
    if len(name) <= room:
        return name
    head = (room - 2) // 2
    return f"{name[:head]}..{name[len(name) - (room - 2 - head) :]}"
