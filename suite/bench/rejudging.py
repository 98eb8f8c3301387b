"""Judge finished runs by the expectations that are stored now, each by those of its own machine; nothing is measured.

One run is in memory at a time, without the verdicts that it was given when it was measured. A regression is not
repeated in fresh processes here, so what `suite.bench.confirm` would have settled stays regressed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from suite.bench.failing import failing, gates_tier
from suite.bench.options import Options
from suite.bench.trust import doubt_of, taken_back
from suite.core.errors import ResultsError
from suite.core.exit_codes import EXIT_FAILED, EXIT_INCONCLUSIVE, EXIT_NOTHING, EXIT_PASS
from suite.core.metrics import COUNTS, is_paired
from suite.core.records import (
    GROUPS,
    Cell,
    CellFailure,
    Expectation,
    Group,
    GroupEnd,
    Measurement,
    RunHeader,
    Verdict,
    VerdictKind,
)
from suite.core.stats.null_arm import arm_doubt, null_ratios, run_doubt, same_work_ratios
from suite.gate import Store, check, check_shapes
from suite.report.endings import unfinished_of
from suite.report.results.folder import RESULTS, RunFolder, last_failures, last_measurements
from suite.report.results.lines import Record


@dataclass(frozen=True, kw_only=True)
class RejudgedRun:
    """The verdicts on one run. ``problem`` says why it does not count as a whole; empty if it does."""

    folder: RunFolder
    verdicts: Sequence[Verdict]
    problem: str
    code: int

    @property
    def kinds(self) -> Counter[VerdictKind]:
        """How many verdicts of each kind there are."""
        return Counter(verdict.kind for verdict in self.verdicts)


@dataclass(frozen=True, kw_only=True)
class MeasuredRun:
    """What a finished run measured; ``planned`` are the groups of metrics that it came to the end of, by cell."""

    header: RunHeader
    measurements: Sequence[Measurement]
    failures: Sequence[CellFailure]
    planned: Mapping[Cell, Collection[Group]]
    unfinished: str


def run_folders(paths: Iterable[Path]) -> list[Path]:
    """The folders of runs: each path that is one, else those below it (as `suite merge` writes them), each once.

    Raises `ResultsError` for a path without any run.
    """
    found: dict[Path, Path] = {}
    for path in paths:
        folders = [path] if _is_run(path) else [child.parent for child in path.glob(f"*/{RESULTS}")]
        if not folders:
            raise ResultsError(f"no run in {path}: give a results folder, or a folder that `suite merge` wrote")
        for folder in sorted(folders, key=lambda one: (one.is_symlink(), one)):  # `latest` is one of the others
            own = folder.parent if folder.name == RESULTS else folder
            found.setdefault(own.resolve(), own)
    return list(found.values())


def _is_run(path: Path) -> bool:
    return path.is_file() or path.is_symlink() or (path / RESULTS).is_file()


def rejudged(paths: Iterable[Path], store: Store, *, options: Options, today: date) -> Iterator[RejudgedRun]:
    """The verdicts on each run, one run after the other. Raises `ResultsError` for a run that cannot be read."""
    for path in paths:
        yield _rejudged(RunFolder.open(path), store, options, today)


def _rejudged(folder: RunFolder, store: Store, options: Options, today: date) -> RejudgedRun:
    run = read(folder)
    verdicts = judged(run, store, today)
    doubt = doubt_of(verdicts, same_work_ratios(run.measurements), options)
    problem = run.unfinished or doubt
    return RejudgedRun(
        folder=folder, verdicts=verdicts, problem=problem,
        code=_code(verdicts, options, unfinished=bool(run.unfinished), doubted=bool(doubt)),
    )  # fmt: skip


def read(folder: RunFolder) -> MeasuredRun:
    """What the folder's run measured; its own verdicts are not read."""
    records = list(folder.unjudged())
    measurements = last_measurements(records)
    return MeasuredRun(
        header=folder.header, measurements=measurements, failures=last_failures(records),
        planned=_planned(records, measurements), unfinished=unfinished_of(folder.header, records),
    )  # fmt: skip


def _planned(records: Iterable[Record | None], measurements: Iterable[Measurement]) -> dict[Cell, tuple[Group, ...]]:
    """The groups that ended; those that were measured in runs of earlier versions, which do not say where one ends."""
    ended = [(one.cell, one.group) for one in records if isinstance(one, GroupEnd)]
    measured = [(one.cell, one.group) for one in measurements]
    known = set(ended or measured)
    cells = dict.fromkeys(cell for cell, _ in (*measured, *ended))
    return {cell: tuple(group for group in GROUPS if (cell, group) in known) for cell in cells}


def judged(run: MeasuredRun, store: Store, today: date) -> tuple[Verdict, ...]:
    """The verdicts on a run by the expectations of its machine: of metrics, and of sweeps."""
    where, quiet = run.header.where, run.header.quiet
    entries = list(_entries(run, store))
    verdicts = check(
        measurements=run.measurements, failures=run.failures, expectations=entries, where=where, planned=run.planned,
        fresh_processes=run.header.profile != "quick" or run.header.processes > 1, quiet=quiet,
        near=lambda m: store.near(m.cell.workload, m.cell.technique, m.metric, where), today=today,
        timings=_timings(run, entries),
    )  # fmt: skip
    shapes = [shape for name in _workloads(run) for shape in store.shapes(name, where)]
    return (*_trusted(run, verdicts), *check_shapes(run.measurements, shapes, quiet=quiet, today=today))


def _workloads(run: MeasuredRun) -> list[str]:
    return list(dict.fromkeys(cell.workload for cell in run.planned))


def _entries(run: MeasuredRun, store: Store) -> Iterator[Expectation]:
    """What is expected of the cells that were measured; counts of work only of a run that counts them."""
    cells = {(cell.workload, cell.technique) for cell in run.planned}
    uncounted = set(COUNTS) - {one.metric for one in run.measurements}
    for workload in _workloads(run):
        for entry in store.find(workload, run.header.where):
            if (workload, entry.technique) in cells and entry.metric not in uncounted:
                yield entry


def _timings(run: MeasuredRun, entries: Iterable[Expectation]) -> int:
    """How many ratios of times the run judges: all of them together may err once in 200 runs."""
    timed = {(cell.workload, cell.technique) for cell, groups in run.planned.items() if "speed" in groups}
    return sum(is_paired(e.metric) and not e.retired and (e.workload, e.technique) in timed for e in entries)


def _trusted(run: MeasuredRun, verdicts: Iterable[Verdict]) -> Iterator[Verdict]:
    """Without the decided timings of a run whose null arms are biased, or whose arms are not timed alike."""
    why = run_doubt(null_ratios(run.measurements)) or arm_doubt(same_work_ratios(run.measurements))
    return (taken_back(verdict, why) for verdict in verdicts)


def _code(verdicts: Sequence[Verdict], options: Options, *, unfinished: bool, doubted: bool) -> int:
    """As `suite.bench.exit_code.of_run`; a run that holds nothing to judge, or not all of it, is no pass."""
    failed = {
        verdict.kind for verdict in verdicts if verdict.kind is not VerdictKind.PASS and failing(verdict, options)
    }
    if failed - {VerdictKind.INCONCLUSIVE}:
        return EXIT_FAILED
    if unfinished or {verdict.kind for verdict in verdicts} <= {VerdictKind.UNAVAILABLE}:
        return EXIT_NOTHING
    return EXIT_INCONCLUSIVE if failed or doubted else EXIT_PASS


def failures_of(run: RejudgedRun, options: Options) -> Iterator[Verdict]:
    """The verdicts that fail the run."""
    return (verdict for verdict in run.verdicts if gates_tier(verdict, options) and failing(verdict, options))
