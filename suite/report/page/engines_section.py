"""What an engine gains at equal precision, and its precision within the engine, on the page."""

from __future__ import annotations

from collections.abc import Sequence

from suite.report.engine_tables import LEGEND, TITLES, gains_of, shown_row
from suite.report.page.markup import escaped, paragraph, table
from suite.report.page.run_content import RunContent, labelled


def engines_section(runs: Sequence[RunContent]) -> str:
    """A table of the engines of all runs as HTML, or a sentence for none."""
    rows = [
        [escaped(text) for text in (label, *shown_row(one))]
        for run, label in labelled(runs)
        for one in gains_of(run.header, run.measurements)
    ]
    if not rows:
        return paragraph("No cell was served by another engine than eager torch.")
    titles = ("run", *TITLES)
    return paragraph(LEGEND.replace("*", "")) + table("engines", titles, rows, numbers=frozenset({4, 5, 6, 7}))
