"""Text cells as a Markdown pipe table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from suite.report.foreign import printable


def pipe_table(titles: Sequence[str], rows: Iterable[Sequence[str]], *, alignment: Sequence[str] = ()) -> str:
    """One line for the ``titles``, one for the ``alignment`` of each column (left by default), one for each row.

    What would end a cell is escaped. The last line has no end.
    """
    from tabulate import tabulate  # not needed where nothing is shown

    cells = [[escaped(text) for text in row] for row in rows]
    aligned = list(alignment or ["left"] * len(titles)) if cells else None  # without rows there is nothing to align
    return tabulate(
        cells, headers=[escaped(title) for title in titles], tablefmt="pipe", colalign=aligned, disable_numparse=True
    )


def escaped(text: str) -> str:
    """Text that cannot end a cell of a Markdown table, and holds no HTML."""
    return printable(text).strip().replace("|", r"\|").replace("<", "&lt;")
