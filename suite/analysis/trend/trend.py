"""`suite trend`: each metric over the runs of a history, where it changed, and whether flags on equal code balance."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from suite.analysis.trend.changes import LEAST, Change, adjusted, balance, changes
from suite.analysis.trend.chosen import filters, is_trusted
from suite.analysis.trend.predict import is_same_code
from suite.core.records import Cell
from suite.report.history.entries import HistoryEntry

SURE = 0.01  # adjusted probability at which a change is flagged
UNEVEN = 0.05  # of a split of flags on unchanged code that is no longer even
BARS = "▁▂▃▄▅▆▇█"
COLUMNS = (
    "workload", "technique", "device", "metric", "conditions", "runs", "last", "unit", "probability", "flagged",
    "changed_in", "commit", "before", "after", "relative", "direction",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class MetricSeries:
    """A metric of a cell under the same conditions, oldest run first; ``probability`` is adjusted over the report."""

    entries: tuple[HistoryEntry, ...]
    found: tuple[Change, ...]
    probability: float

    @property
    def cell(self) -> Cell:
        return self.entries[0].cell

    @property
    def values(self) -> list[float]:
        return [entry.value for entry in self.entries]

    @property
    def flagged(self) -> bool:
        return bool(self.found) and self.probability <= SURE

    def is_better(self, change: Change) -> bool:
        """Whether a change went the favourable way."""
        return (change.after > change.before) == (self.entries[0].better == "higher")

    def is_unexplained(self, change: Change) -> bool:
        """Whether the code and its versions are the same on either side: an A/A comparison."""
        return is_same_code(self.entries[change.at - 1], self.entries[change.at])


def runs_of(
    entries: Iterable[HistoryEntry], *, workload: str = "", technique: str = "", metric: str = "", since: str = ""
) -> list[list[HistoryEntry]]:
    """Figure by figure the runs with it, oldest first, of those that hold ``technique`` and ``metric`` in their names.

    ``since`` is the beginning of an ISO time. Figures that are suspect, or timed outside a quiet process, are left out.
    """
    asked = {"workload": workload, "technique": technique, "metric": metric, "since": since}
    wanted = filters(asked).values()
    groups: dict[object, list[HistoryEntry]] = {}
    for entry in entries:
        if is_trusted(entry) and all(passes(entry) for passes in wanted):
            groups.setdefault(_key(entry), []).append(entry)
    return [sorted(group, key=lambda one: one.started) for group in groups.values()]


def series_of(groups: Iterable[Sequence[HistoryEntry]]) -> list[MetricSeries]:
    """The series of `LEAST` runs or more, each with its changes."""
    long = [group for group in groups if len(group) >= LEAST]
    values = [np.array([entry.value for entry in group]) for group in long]
    sure = adjusted(values, SURE)
    return [
        MetricSeries(entries=tuple(group), found=changes(one), probability=p)
        for group, one, p in zip(long, values, sure, strict=True)
    ]


def lines(found: Sequence[MetricSeries]) -> list[str]:
    """The report: flagged series first, each with its picture, then what is flat, and whether flags balance."""
    if not found:
        return [
            f"no figure that was asked for has {LEAST} runs in the history yet; keep runs with `suite bench --history`"
        ]
    flagged = sorted((one for one in found if one.flagged), key=lambda one: one.probability)
    told = [line for one in flagged for line in _of_series(one)]
    quiet = len(found) - len(flagged)
    told.append(f"{quiet} of {len(found)} series show no change that shuffled runs would not (at {SURE:.0%}, Holm)")
    return [*told, *_of_balance(flagged)]


def to_csv(found: Sequence[MetricSeries]) -> str:
    """One row for each change, and one for each series without any; columns as in `COLUMNS`."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for one in found:
        writer.writerows(_row(one, change) for change in one.found or (None,))
    return text.getvalue()


def sparkline(values: Sequence[float]) -> str:
    """The values as bars from the least to the greatest; equal ones are in the middle."""
    least, width = min(values), max(values) - min(values)
    top = len(BARS) - 1
    return "".join(BARS[round((value - least) / width * top)] if width else BARS[top // 2] for value in values)


def _key(entry: HistoryEntry) -> object:
    """What has to be the same for two figures to be runs of one series."""
    taken = (entry.profile, entry.threads, entry.seeds, entry.processes, entry.data)
    return entry.cell, entry.metric, taken, tuple(sorted(entry.conditions.items()))


def _name(one: MetricSeries) -> str:
    first = one.entries[0]
    given = ", ".join(f"{name} {value}" for name, value in sorted(first.conditions.items()))
    return f"{one.cell.workload} {one.cell.technique} {one.cell.device} {first.metric}" + (
        f" ({given})" if given else ""
    )


def _of_series(one: MetricSeries) -> Iterable[str]:
    yield f"{_name(one)}: {sparkline(one.values)} last {one.values[-1]:.4g}, p = {one.probability:.2g}"
    for change in one.found:
        at = one.entries[change.at]
        way = "better" if one.is_better(change) else "worse"
        code = "the same code" if one.is_unexplained(change) else f"commit {at.commit or 'unknown'}"
        moved = f"{change.before:.4g} to {change.after:.4g}"
        yield f"    {way} by {abs(change.relative):.1%} since {at.run} ({code}): {moved}"


def _of_balance(flagged: Sequence[MetricSeries]) -> Iterable[str]:
    """On unchanged code better and worse are equally likely; if they are not, the harness or the machine drifts."""
    same = [one.is_better(change) for one in flagged for change in one.found if one.is_unexplained(change)]
    if not same:
        return
    ups, downs = same.count(True), same.count(False)
    p = balance(ups, downs)
    said = "they balance" if p > UNEVEN else "they do not balance: the machine, or how it is measured, drifts"
    yield f"on unchanged code {ups} changes for the better and {downs} for the worse: {said} (p = {p:.2g})"


def _row(one: MetricSeries, change: Change | None) -> dict[str, object]:
    first = one.entries[0]
    row: dict[str, object] = {
        "workload": one.cell.workload, "technique": one.cell.technique, "device": one.cell.device,
        "metric": first.metric, "conditions": " ".join(f"{k}={v}" for k, v in sorted(first.conditions.items())),
        "runs": len(one.entries), "last": one.values[-1], "unit": first.unit, "probability": one.probability,
        "flagged": one.flagged,
    }  # fmt: skip
    if change is None:
        return row
    at = one.entries[change.at]
    return row | {
        "changed_in": at.run, "commit": at.commit or "", "before": change.before, "after": change.after,
        "relative": change.relative, "direction": "better" if one.is_better(change) else "worse",
    }  # fmt: skip
