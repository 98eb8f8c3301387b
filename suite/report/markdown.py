"""The trade-off tables as GitHub-flavoured Markdown, below a heading that says where their figures come from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from suite.core.machine import nvml
from suite.report.columns import Row, groups, markdown_columns, suspicions
from suite.report.foreign import code, inline
from suite.report.frames import records
from suite.report.headline import sentences
from suite.report.pipe_table import escaped, pipe_table

if TYPE_CHECKING:
    import pandas as pd

    from suite.core.records import RunHeader

LEFT = frozenset({"workload", "technique", "control", "device", "verdict"})
LEGEND = (
    "The first figure is the workload's primary score, over seeds: shares in percent (*vs control* in percentage "
    "points), other scores in their own unit; *vs control* is the difference from the control, with its interval. "
    "*Shows from* is the smallest difference that the cell could have shown: of a smaller one the interval holds zero, "
    "and the cell reads *no effect above* that figure. "
    "*Output error* is the relative distance of the served outputs from those of the same weights in float32. "
    "*Artefact* is what ships, *smaller* the baseline's bytes / these, *coded* the bytes after entropy coding. "
    "Speed-ups are baseline seconds / technique seconds (inference unless said), with their interval; higher is "
    "better; the baseline's is 1 by definition, and *A/A* its ratio to its own copy. `?` marks ratios that something "
    "disturbed: they say nothing. *Memory* is the peak of one served batch, *held* what is held between batches. "
    "*Launch-bound*: the device works for less than half of the time, so the host sets the pace. "
    "A star marks cells that no other cell of "
    "the same workload and device beats: clearly better (outside the intervals) in score, artefact bytes or speed-up "
    "and clearly worse in none of them. `-` was not measured; columns without any figure are left out."
)


def to_markdown(table: pd.DataFrame | list[Row], header: RunHeader, *, null_arms: Sequence[str] = ()) -> str:
    """The run's heading, the legend, and one table for each group of cells with equal columns.

    ``null_arms`` are the lines on arms that do the same work (`suite.core.stats.null_arm.lines`).
    """
    rows = records(table)
    parts = [_table(own) for own in groups(rows)] or ["No cell was measured."]
    heading = "\n- ".join((_heading(header), *null_arms))
    said = "\n".join(f"- **{escaped(line)}**" for line in sentences(rows))
    return "\n\n".join([heading, *filter(None, [said]), LEGEND, *parts]) + "\n"


def _table(rows: list[Row]) -> str:
    columns = markdown_columns(rows)
    titles = [column.title for column in columns]
    alignment = ["left" if title in LEFT else "right" for title in titles]
    shown = pipe_table(titles, ([column.show(row) for column in columns] for row in rows), alignment=alignment)
    return "\n\n".join([shown, *([f"- {escaped(text)}" for text in suspicions(rows)])])


def _heading(header: RunHeader) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in sorted(header.where.versions.items()))
    seeds = ", ".join(map(str, header.seeds))
    quiet = "" if header.quiet else "\n- **Not a quiet process**: timings of this run cannot be trusted."
    told = f"- accelerator: {inline(nvml.line(header.accelerator))}\n" if header.accelerator else ""
    told += f"- energy: {inline(header.energy)}\n" if header.energy else ""
    return (
        f"# Trade-offs of {inline(header.run)}\n\n"
        f"- machine: {inline(f'{header.where.machine} ({header.where.family}), {header.where.device}')}, "
        f"threads: {header.where.threads}\n"
        f"{told}"
        f"- versions: {inline(versions) or 'unknown'}\n"
        f"- seeds: {seeds or 'none'}; profile: {header.profile}\n"
        f"- commit: {inline(header.commit or 'unknown')}\n"
        f"- command: {code(header.command)}{quiet}"
    )
