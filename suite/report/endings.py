"""Whether a results file holds all that its run was to measure: each group, and the run, ends with a record."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping

from suite.core.errors import ResultsError
from suite.core.exit_codes import EXIT_PASS, MEANINGS
from suite.core.records import Cell, Group, GroupEnd, RunEnd, RunHeader
from suite.report.results.folder import RunFolder
from suite.report.results.lines import MEASUREMENTS, BriefRecord, Record

Key = tuple[Cell, Group]


def run_end(folder: RunFolder) -> RunEnd | None:
    """The run's end, if nothing was written after it: a run that is resumed has none until it ends again."""
    last = None
    for last in folder.records():  # noqa: B007  # the last one is wanted
        pass
    return last if isinstance(last, RunEnd) else None


def incomplete(folder: RunFolder) -> frozenset[tuple[Cell, Group]]:
    """Groups of which some metrics are here and some are not: the run was ended while it wrote them.

    Empty for older runs, which do not say where a group ends.
    """
    if not folder.header.groups:
        return frozenset()
    here, ended, _ = _read(folder.records())
    return frozenset(key for key, metrics in here.items() if metrics < ended.get(key, math.inf))


def unfinished(folder: RunFolder) -> str:
    """How much of a run is missing, as ``unfinished: 12 of 20 groups ...``; empty for whole runs and older ones."""
    return unfinished_of(folder.header, folder.records()) if folder.header.groups else ""


def unfinished_of(header: RunHeader, records: Iterable[Record | BriefRecord]) -> str:
    """The same of the records of a run, which were read already."""
    planned = header.groups
    if not planned:
        return ""
    return unfinished_counts(planned, *_read(records))


def unfinished_counts(planned: int, here: Counter[Key], ended: Mapping[Key, int], last: object) -> str:
    """The same of counts: metrics that are here and that groups ended with, and the file's last record."""
    done = sum(metrics <= here[key] for key, metrics in ended.items())
    if isinstance(last, RunEnd) and last.whole and done >= last.done:
        return ""
    return f"unfinished: {done} of {planned} groups of metrics were measured; the run was ended, or its file was cut"


def exit_problem(code: int | None) -> str:
    """An exit code that is no pass, in words; empty for 0."""
    if code is None:
        return "its exit code is not known"
    meaning = MEANINGS.get(code, "pytest could not run it")
    return "" if code == EXIT_PASS else f"the run ended with exit code {code}: {meaning}"


def check_finished(folder: RunFolder) -> None:
    """Raise `ResultsError` for a run that has not come to its end."""
    if problem := unfinished(folder):
        raise ResultsError(
            f"{folder.results}: {problem}; finish it with the same command and `--resume {folder.path}`, or choose "
            "complete cells with --only"
        )


def _read(
    records: Iterable[Record | BriefRecord],
) -> tuple[Counter[Key], dict[Key, int], Record | BriefRecord | None]:
    """Of each group the metrics that are here and how many it ended with; and the last record."""
    metrics: dict[tuple[Cell, str], Group] = {}
    ended: dict[Key, int] = {}
    last = None
    for last in records:
        if isinstance(last, MEASUREMENTS):
            metrics[last.cell, last.metric] = last.group
        elif isinstance(last, GroupEnd):
            ended[last.cell, last.group] = last.metrics
    return Counter((cell, group) for (cell, _), group in metrics.items()), ended, last
