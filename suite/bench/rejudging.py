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
from suite.bench.sieving import Key, Sieve
from suite.bench.trust import doubt_of, taken_back
from suite.core.composition import parse
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
    ShapeExpectation,
    Verdict,
    VerdictKind,
)
from suite.core.stats.null_arm import arm_doubt, null_ratios, run_doubt, same_work_ratios
from suite.gate import Store, check, check_shapes
from suite.report.endings import unfinished_counts
from suite.report.results.folder import RESULTS, RunFolder
from suite.report.results.lines import BriefCell, CountedMeasurement, Row, measurement


@dataclass(frozen=True, kw_only=True)
class RejudgedRun:
    """The verdicts on one run: those that took a whole judgement, and the number of the others in ``clear``, by kind.

    ``problem`` says why the run does not count as a whole; empty if it does.
    """

    folder: RunFolder
    verdicts: Sequence[Verdict]
    clear: Counter[VerdictKind]
    problem: str
    code: int

    @property
    def kinds(self) -> Counter[VerdictKind]:
        """How many verdicts of each kind there are."""
        return Counter(verdict.kind for verdict in self.verdicts) + self.clear


@dataclass(frozen=True, kw_only=True)
class MeasuredRun:
    """What a finished run measured: the last ``rows`` of each cell and metric.

    ``planned`` are the groups of metrics that it came to the end of, by cell.
    """

    header: RunHeader
    rows: Sequence[Row]
    failures: Sequence[CellFailure]
    planned: Mapping[Cell, Collection[Group]]
    unfinished: str

    @property
    def brief(self) -> Iterator[CountedMeasurement]:
        """The measurements in brief."""
        return (measured for measured, _ in self.rows)


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


def rejudged(paths: Iterable[Path], judge: Judge) -> Iterator[RejudgedRun]:
    """The verdicts on each run, one run after the other. Raises `ResultsError` for a run that cannot be read."""
    for path in paths:
        folder = RunFolder.open(path)
        yield rejudge(folder, read(folder), judge)


@dataclass(frozen=True, kw_only=True)
class Judge:
    """What all runs are judged by."""

    store: Store
    sieve: Sieve
    options: Options
    today: date


def rejudge(folder: RunFolder, run: MeasuredRun, judge: Judge) -> RejudgedRun:
    """The verdicts on one run that was read from ``folder``."""
    entries = list(_entries(run, judge.store))
    clear, answered, left = _sieved(run, entries, judge.sieve)
    verdicts = _judged(run, left, entries, answered, judge)
    same_work = {metric: list(ratios) for metric, ratios in same_work_ratios(run.brief).items()}
    paired = sum(is_paired(metric) for _, _, metric in answered)
    doubt = doubt_of(verdicts, same_work, judge.options, passed=paired)
    kinds = {*clear, *(verdict.kind for verdict in verdicts)}
    return RejudgedRun(
        folder=folder, verdicts=verdicts, clear=clear, problem=run.unfinished or doubt,
        code=_code(verdicts, kinds, judge.options, unfinished=bool(run.unfinished), doubted=bool(doubt)),
    )  # fmt: skip


def _sieved(
    run: MeasuredRun, entries: Sequence[Expectation], sieve: Sieve
) -> tuple[Counter[VerdictKind], set[Key], list[Measurement]]:
    """The kinds of the clear verdicts, the entries that passed, and the measurements that are to be judged."""
    cells = Counter((cell.workload, cell.technique) for cell in run.planned)
    alone = [entry for entry in entries if cells[entry.workload, entry.technique] == 1]  # or two cells answer it
    several = [entry for entry in entries if cells[entry.workload, entry.technique] > 1]
    glances, quiet = sieve.glances(alone, run.header.where), run.header.quiet
    glances |= {(entry.workload, entry.technique, entry.metric): None for entry in several}
    clear: Counter[VerdictKind] = Counter()
    answered: set[Key] = set()
    left: list[Measurement] = []
    for measured, line in run.rows:
        kind = sieve.clear(measured, glances, quiet=quiet)
        if kind is None:
            left.append(measurement(line))
            continue
        clear[kind] += 1
        if kind is VerdictKind.PASS:
            answered.add((measured.cell.workload, measured.cell.technique, measured.metric))
    return clear, answered, left


def read(folder: RunFolder) -> MeasuredRun:
    """What the folder's run measured; its own verdicts are not read."""
    rows: dict[tuple[BriefCell, str], Row] = {}
    failed: dict[tuple[Cell, Group], CellFailure] = {}
    ended: dict[tuple[Cell, Group], int] = {}
    last: object = None
    for last in folder.rows():
        if isinstance(last, tuple):
            rows[last[0].cell, last[0].metric] = last
            if failed:  # a resumed run measured it after all
                failed.pop((last[0].cell.whole(), last[0].group), None)
        elif isinstance(last, CellFailure):
            failed[last.cell, last.group] = last
        elif isinstance(last, GroupEnd):
            ended[last.cell, last.group] = last.metrics
    here, groups = _groups(rows), folder.header.groups
    return MeasuredRun(
        header=folder.header, rows=list(rows.values()),
        failures=list(failed.values()),
        planned=_planned(here, ended), unfinished=unfinished_counts(groups, here, ended, last) if groups else "",
    )  # fmt: skip


def _groups(rows: Mapping[tuple[BriefCell, str], Row]) -> Counter[tuple[Cell, Group]]:
    """How many metrics of each group of a cell are here, in the order of the file."""
    brief = Counter((cell, measured.group) for (cell, _), (measured, _) in rows.items())
    return Counter({(cell.whole(), group): count for (cell, group), count in brief.items()})


def _planned(
    here: Mapping[tuple[Cell, Group], int], ended: Mapping[tuple[Cell, Group], int]
) -> dict[Cell, tuple[Group, ...]]:
    """The groups that ended; those that were measured in runs of earlier versions, which do not say where one ends."""
    known = ended or here
    cells = dict.fromkeys(cell for cell, _ in (*here, *ended))
    return {cell: tuple(group for group in GROUPS if (cell, group) in known) for cell in cells}


def _judged(
    run: MeasuredRun, left: Sequence[Measurement], entries: Sequence[Expectation], answered: Collection[Key],
    judge: Judge,
) -> tuple[Verdict, ...]:  # fmt: skip
    """The verdicts on the measurements that are left, on what is missing, and on sweeps."""
    where, quiet, store = run.header.where, run.header.quiet, judge.store
    open_ = [e for e in entries if (e.workload, e.technique, e.metric) not in answered]
    verdicts = check(
        measurements=left, failures=run.failures, expectations=open_, where=where, planned=run.planned,
        fresh_processes=run.header.profile != "quick" or run.header.processes > 1, quiet=quiet,
        near=lambda m: store.near(m.cell.workload, m.cell.technique, m.metric, where), today=judge.today,
        timings=_timings(run, entries),
    )  # fmt: skip
    shapes = [shape for name in _workloads(run) for shape in store.shapes(name, where)]
    swept = check_shapes(_swept(run, shapes), shapes, quiet=quiet, today=judge.today)
    return (*_trusted(run, verdicts), *swept)


def _swept(run: MeasuredRun, shapes: Sequence[ShapeExpectation]) -> Iterator[Measurement]:
    """What the shapes may speak of: their metrics, of compositions with all of their techniques."""
    wanted: dict[tuple[str, str], list[set[str]]] = {}
    for shape in shapes:
        names = {call.name for call in parse(shape.technique)}
        wanted.setdefault((shape.workload, shape.metric), []).append(names)
    for measured, line in run.rows:
        for names in wanted.get((measured.cell.workload, measured.metric), ()):
            if all(name in measured.cell.technique for name in names):
                yield measurement(line)
                break


def _workloads(run: MeasuredRun) -> list[str]:
    return list(dict.fromkeys(cell.workload for cell in run.planned))


def _entries(run: MeasuredRun, store: Store) -> Iterator[Expectation]:
    """What is expected of the cells that were measured; counts of work only of a run that counts them."""
    cells = {(cell.workload, cell.technique) for cell in run.planned}
    uncounted = set(COUNTS) - {one.metric for one in run.brief}
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
    why = run_doubt(null_ratios(run.brief)) or arm_doubt(same_work_ratios(run.brief))
    return (taken_back(verdict, why) for verdict in verdicts)


def _code(
    verdicts: Sequence[Verdict], kinds: Collection[VerdictKind], options: Options, *, unfinished: bool, doubted: bool
) -> int:
    """As `suite.bench.exit_code.of_run`; a run that holds nothing to judge, or not all of it, is no pass."""
    failed = {verdict.kind for verdict in verdicts if failing(verdict, options)}
    if failed - {VerdictKind.INCONCLUSIVE}:
        return EXIT_FAILED
    if unfinished or set(kinds) <= {VerdictKind.UNAVAILABLE}:
        return EXIT_NOTHING
    return EXIT_INCONCLUSIVE if failed or doubted else EXIT_PASS


def failures_of(run: RejudgedRun, options: Options) -> Iterator[Verdict]:
    """The verdicts that fail the run."""
    return (verdict for verdict in run.verdicts if gates_tier(verdict, options) and failing(verdict, options))
