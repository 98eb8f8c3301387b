"""What the plots of a page draw beside the table's columns: sweeps, paired ratios, histories. Plain values for JSON.

Numbers have `DIGITS` digits: what is drawn has fewer, and exact values are in the run's files.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from suite.core.errors import ResultsError
from suite.core.records import Measurement, Verdict, VerdictKind
from suite.report.columns import ENDS, is_share
from suite.report.foreign import printable
from suite.report.frames import SEVERITY
from suite.report.history.entries import HistoryEntry, Key
from suite.report.history.file import path_of, read
from suite.report.page.run_content import RunContent, labels
from suite.report.results.folder import RunFolder
from suite.report.sweeps import SweepBlock

Plain = dict[str, Any]
ChangedRun = tuple[str, Key]
"""A machine, and the key of the first entry of its history that differs from those before."""
DIGITS = 6
MOST_POINTS = 2000  # of one trace
MOST_SWEEPS, MOST_TIMINGS, MOST_HISTORIES = 24, 40, 24
MOST_ROUNDS = 400  # of one timing that are drawn
RATIOS = ("speedup", "speedup_b1", "speedup_saturated")
"""Ratios whose rounds are seconds of the baseline / seconds of the technique of one turn."""
LARGEST_HISTORY = 20_000_000  # bytes: reading more would delay the end of a run


@dataclass(frozen=True, kw_only=True)
class LearningCurve:
    """Quality against a resource: amounts ``at`` [n], means over seeds and the ends of their intervals [n]."""

    title: str
    resource: str
    score: str
    at: Sequence[float]
    quality: Sequence[float]
    low: Sequence[float | None]
    high: Sequence[float | None]


def sweep_plots(runs: Sequence[RunContent]) -> Plain:
    """Each sweep's values ``at`` [n], its score and its speed-up, each with the ends of its interval [n]."""
    found = [(block, label) for run, label in _labelled(runs) for block in run.sweeps]
    return {"plots": [_sweep(block, label) for block, label in found[:MOST_SWEEPS]], "all": len(found)}


def curve_plots(curves: Sequence[LearningCurve]) -> Plain:
    """Each curve's amounts ``at`` [n] and its quality with the ends of its interval [3, n]."""
    drawn = [
        {
            "title": printable(one.title),
            "resource": printable(one.resource),
            "score_name": printable(one.score),
            "at": [_short(value) for value in one.at],
            "score": [[_short(value) for value in values] for values in (one.quality, one.low, one.high)],
        }
        for one in curves[:MOST_SWEEPS]
    ]
    return {"plots": drawn, "all": len(curves)}


def ratio_plots(runs: Sequence[RunContent]) -> Plain:
    """Paired ratios of rounds, those whose verdict needs attention first."""
    found = [(run, label, *pair) for run, label in _labelled(runs) for pair in _timings(run)]
    found.sort(key=lambda one: len(SEVERITY) if one[3] is None else SEVERITY.index(one[3].kind))
    plots: list[Plain] = []
    for run, label, measurement, verdict in found:
        rounds = _rounds(run.folder, measurement)
        if rounds and len(plots) < MOST_TIMINGS:
            plots.append(_ratio(label, measurement, verdict, rounds))
    return {"plots": plots, "all": len(found)}


def history_plots(runs: Sequence[RunContent], changes: Collection[ChangedRun] = ()) -> Plain:
    """Values of earlier runs on the same machine, in the order of their start, of the cells of these runs.

    ``changes`` are the runs from which on a value differs.
    """
    found = list(chain.from_iterable(_histories(run) for run in _once(runs)))
    drawn = [_history(machine, entries, changes) for machine, entries in found[:MOST_HISTORIES]]
    return {"plots": drawn, "all": len(found)}


def thinned(values: Sequence[Any], most: int = MOST_POINTS) -> list[Any]:
    """At most ``most`` values, evenly chosen, the first and the last among them."""
    if len(values) <= most:
        return list(values)
    return [values[round(k * (len(values) - 1) / (most - 1))] for k in range(most)]


def _labelled(runs: Sequence[RunContent]) -> list[tuple[RunContent, str]]:
    return list(zip(runs, labels(runs), strict=True))


# -- sweeps -----------------------------------------------------------------------------------------------------------


def _sweep(block: SweepBlock, label: str) -> Plain:
    score = block.rows[0]["score"]
    figures = {"score": score, "speedup": "speedup"}
    lines = {name: _line(block, figure) for name, figure in figures.items() if figure}
    return {
        "title": printable(block.title),
        "machine": label,
        "parameter": printable(block.sweep.parameter),
        "at": [value if isinstance(value, int | float) else printable(str(value)) for value in block.at],
        "score_name": score,
        "share": is_share(list(block.rows)),
        **lines,
    }


def _line(block: SweepBlock, figure: str) -> list[list[float | None]]:
    """Values, lower and upper ends [3, n]."""
    return [[_short(row.get(f"{figure}{end}")) for row in block.rows] for end in ENDS]


# -- paired ratios ----------------------------------------------------------------------------------------------------


def _timings(run: RunContent) -> Iterator[tuple[Measurement, Verdict | None]]:
    judged = {(one.cell, one.metric): one for one in run.verdicts if one.shape is None}
    for found in run.measurements:
        if found.metric in RATIOS and found.samples:
            yield found, judged.get((found.cell, found.metric))


def _rounds(folder: RunFolder, found: Measurement) -> list[float]:
    """Seconds of the baseline / seconds of the technique, round by round; none where the file is gone or differs."""
    try:
        samples = folder.read_samples(str(found.samples))
    except (ResultsError, OSError, ValueError):
        return []
    seconds = dict(iter(samples.groupby("series")["value"]))
    ours, theirs = seconds.get("seconds_baseline"), seconds.get("seconds_technique")
    if ours is None or theirs is None or len(ours) != len(theirs):
        return []
    return [a / b for a, b in zip(ours, theirs, strict=True) if b > 0]


def _ratio(label: str, found: Measurement, verdict: Verdict | None, rounds: Sequence[float]) -> Plain:
    stored = None if verdict is None else verdict.expectation
    least = None if verdict is None else verdict.detectable
    seen = None if stored is None or least is None else stored.value * (1 - least)
    return {
        "name": printable(f"{found.cell.workload} {found.cell.technique} {found.metric}"),
        "machine": label,
        "rounds": [_short(value) for value in thinned(rounds, MOST_ROUNDS)],
        "count": len(rounds),
        "value": _short(found.value),
        "low": _short(found.low),
        "high": _short(found.high),
        "bound": _short(None if stored is None else stored.low),
        "detectable": _short(seen),
        "verdict": verdict and verdict.kind.value,
        "disturbed": found.suspect and printable(found.suspect),
    }


# -- history ----------------------------------------------------------------------------------------------------------


def _once(runs: Iterable[RunContent]) -> list[RunContent]:
    """One run of each machine and folder of reports."""
    return list({(run.folder.path.parent.absolute(), run.machine): run for run in runs}.values())


def _histories(run: RunContent) -> list[tuple[str, list[HistoryEntry]]]:
    """The series of a machine, those that regressed in this run first."""
    path = path_of(run.folder.path.parent, run.machine)
    if not path.is_file() or path.stat().st_size > LARGEST_HISTORY:
        return []
    attention = {(one.cell, one.metric) for one in run.verdicts if one.kind is VerdictKind.REGRESSED}
    shown = {(one.cell, one.metric) for one in run.measurements if _has_history(run, one)}
    series: dict[Any, list[HistoryEntry]] = {}
    for entry in read(path)[0]:
        if (entry.cell, entry.metric) in shown:
            series.setdefault((entry.cell, entry.metric, *sorted(entry.conditions.items())), []).append(entry)
    ordered = sorted(series.items(), key=lambda one: one[0][:2] not in attention)
    return [(run.machine, entries) for _, entries in ordered if len(entries) > 1]


def _has_history(run: RunContent, found: Measurement) -> bool:
    """Whether a metric is drawn over time: the primary score and the speed-up at the serving batch."""
    scores = run.header.scores.get(found.cell.workload, ())
    return found.metric in (*scores[:1], RATIOS[0])


def _history(machine: str, entries: Sequence[HistoryEntry], changes: Collection[ChangedRun]) -> Plain:
    known = thinned(sorted(entries, key=lambda one: one.started))
    first = known[0]
    return {
        "name": printable(f"{first.cell.workload} {first.cell.technique} {first.metric}"),
        "machine": machine,
        "started": [printable(one.started) for one in known],
        "commit": [printable(one.commit or "unknown") for one in known],
        "value": [_short(one.value) for one in known],
        "low": [_short(one.low) for one in known],
        "high": [_short(one.high) for one in known],
        "count": len(entries),
        "changes": [one.started for one in entries if (machine, one.key) in changes],
    }


def _short(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.{DIGITS}g}")
