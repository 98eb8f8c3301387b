"""Values of a machine over its runs, with the runs from which on they differ."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from itertools import chain
from typing import Any

from suite.core.records import Measurement, VerdictKind
from suite.report.foreign import printable
from suite.report.history.entries import HistoryEntry, Key
from suite.report.history.file import path_of, read
from suite.report.page.plot_values import Plain, short, thinned
from suite.report.page.run_content import RunContent

ChangedRun = tuple[str, Key]
"""A machine, and the key of the first entry of its history that differs from those before."""
Series = list[HistoryEntry]
MOST_HISTORIES = 24
LARGEST_HISTORY = 20_000_000  # bytes: reading more would delay the end of a run


def history_plots(runs: Sequence[RunContent], changes: Collection[ChangedRun] = ()) -> Plain:
    """The cells of these runs in earlier runs on the same machine, in the order of their start."""
    histories = list(chain.from_iterable(_histories(run) for run in _once(runs)))
    drawn = [_history(machine, series, changes) for machine, series in histories[:MOST_HISTORIES]]
    return {"plots": drawn, "all": len(histories)}


def _once(runs: Iterable[RunContent]) -> list[RunContent]:
    """One run of each machine and folder of reports."""
    return list({(run.folder.path.parent.absolute(), run.machine): run for run in runs}.values())


def _histories(run: RunContent) -> list[tuple[str, Series]]:
    """The series of a machine, those that regressed in this run first."""
    path = path_of(run.folder.path.parent, run.machine)
    if not path.is_file() or path.stat().st_size > LARGEST_HISTORY:
        return []
    regressed = {(verdict.cell, verdict.metric) for verdict in run.verdicts if verdict.kind is VerdictKind.REGRESSED}
    shown = {(m.cell, m.metric) for m in run.measurements if _is_drawn(run, m)}
    histories: dict[Any, Series] = {}
    for entry in read(path)[0]:
        if (entry.cell, entry.metric) in shown:
            key = (entry.cell, entry.metric, *sorted(entry.conditions.items()))
            histories.setdefault(key, []).append(entry)
    ordered = sorted(histories.items(), key=lambda item: item[0][:2] not in regressed)
    return [(run.machine, series) for _, series in ordered if len(series) > 1]


def _is_drawn(run: RunContent, measurement: Measurement) -> bool:
    """Whether a metric is drawn over time: the primary score and the speed-up at the serving batch."""
    return measurement.metric in (*run.header.scores.get(measurement.cell.workload, ())[:1], "speedup")


def _history(machine: str, series: Series, changes: Collection[ChangedRun]) -> Plain:
    drawn = thinned(sorted(series, key=lambda entry: entry.started))
    first = drawn[0]
    return {
        "name": printable(f"{first.cell.workload} {first.cell.technique} {first.metric}"),
        "machine": machine,
        "started": [printable(entry.started) for entry in drawn],
        "commit": [printable(entry.commit or "unknown") for entry in drawn],
        "value": [short(entry.value) for entry in drawn],
        "low": [short(entry.low) for entry in drawn],
        "high": [short(entry.high) for entry in drawn],
        "count": len(series),
        "changes": [printable(entry.started) for entry in series if (machine, entry.key) in changes],
    }
