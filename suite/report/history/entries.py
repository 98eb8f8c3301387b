"""One figure of one run as a line of the history, and the history's figures out of a run's folder."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field

from suite.core.records import Cell, Measurement, RunHeader, Verdict
from suite.report.results.folder import RunFolder

DIRTY = "-dirty"
Key = tuple[str, Cell, str]


@dataclass(frozen=True, kw_only=True)
class HistoryEntry:
    """One metric of one cell in one run. ``dirty`` says that tracked files differed from ``commit``.

    ``started`` is the run's ISO time, ``low``/``high`` the measurement's interval, ``noise`` its standard deviation
    between processes or seeds. ``verdict`` is that of the run's gate, ``None`` if nothing was judged.

    ``seeds`` counts the seeds of the value, ``None`` if it has none. ``processes`` counts the planned processes of each
    timing, 1 if the value comes from one alone; ``data`` is the digest of the workload's data, ``None`` if it declares
    none. All three are ``None`` in lines written before these fields existed.
    """

    run: str
    started: str
    commit: str | None
    dirty: bool
    versions: Mapping[str, str]
    profile: str
    quiet: bool
    threads: int
    cell: Cell
    metric: str
    value: float
    unit: str
    better: str
    low: float | None = None
    high: float | None = None
    noise: float | None = None
    conditions: Mapping[str, int | str] = field(default_factory=dict)
    suspect: str | None = None
    verdict: str | None = None
    seeds: int | None = None
    processes: int | None = None
    data: str | None = None

    @property
    def key(self) -> Key:
        """No two lines of a history have the same: a resumed run adds what it lacked, a run added twice nothing."""
        return self.run, self.cell, self.metric


def encode(entry: HistoryEntry) -> bytes:
    """One line with its end. Raises `ValueError` for NaN and infinity, which JSON does not have."""
    return json.dumps(asdict(entry), allow_nan=False).encode() + b"\n"


def decode(line: bytes) -> HistoryEntry:
    """The entry of one line. Raises `ValueError`, `TypeError` or `KeyError` for what `encode` does not write."""
    plain = json.loads(line)
    if not isinstance(plain, dict):
        raise TypeError(f"no object: {plain!r:.40}")
    return HistoryEntry(**{**plain, "cell": Cell(**plain["cell"])})


def of_run(folder: RunFolder) -> list[HistoryEntry]:
    """The figures that a run measured itself; those of networks that an earlier run trained are that run's."""
    verdicts = {(v.cell, v.metric): v for v in folder.verdicts() if v.measurement is not None and v.shape is None}
    own = (found for found in folder.measurements() if not found.reused)
    return [_entry(folder.header, found, verdicts.get((found.cell, found.metric))) for found in own]


def _entry(header: RunHeader, found: Measurement, verdict: Verdict | None) -> HistoryEntry:
    commit = header.commit
    return HistoryEntry(
        run=header.run, started=header.started, commit=commit and commit.removesuffix(DIRTY),
        dirty=bool(commit and commit.endswith(DIRTY)), versions=dict(header.where.versions), profile=header.profile,
        quiet=header.quiet, threads=header.where.threads, cell=found.cell, metric=found.metric, value=found.value,
        unit=found.unit, better=found.better, low=found.low, high=found.high, noise=found.noise,
        conditions=dict(found.conditions), suspect=found.suspect,
        verdict=None if verdict is None else str(verdict.kind), seeds=len(found.seeds) or None,
        processes=_processes(header, found), data=header.where.data_digests.get(found.cell.workload),
    )  # fmt: skip


def _processes(header: RunHeader, found: Measurement) -> int:
    """The planned processes: the number that answered or was repeated depends on the values."""
    return header.processes if found.processes > 1 else 1


def new(entries: Iterable[HistoryEntry], known: Iterable[HistoryEntry]) -> list[HistoryEntry]:
    """Those whose key is not among the known."""
    keys = {entry.key for entry in known}
    return [entry for entry in entries if entry.key not in keys]
