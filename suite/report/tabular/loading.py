"""Results folders as one frame: one row per measurement, of as many runs and machines as there are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from suite.core.errors import ResultsError
from suite.core.garbage import uncollected
from suite.core.records import CellFailure, RunHeader
from suite.report.endings import unfinished_of
from suite.report.frames import Pair, paired, typed
from suite.report.results.folder import LATEST, RESULTS, RunFolder, last_measurements, last_verdicts
from suite.report.results.lines import BriefVerdict, Judged
from suite.report.tabular.columns import columns
from suite.report.tabular.schema import COLUMN_NAMES, VERSION, of_kind

if TYPE_CHECKING:
    import pandas as pd

PATTERN = "*?["


@dataclass(frozen=True, kw_only=True)
class LoadedRun:
    """One run as rows, and what a reader has to know about it."""

    path: Path
    header: RunHeader
    pairs: Sequence[Pair]
    failures: Sequence[CellFailure]
    notes: Sequence[str]


def load(source: str | Path | Iterable[str | Path]) -> pd.DataFrame:
    """The measurements of one run or many, one row each; docs/frames.md lists the columns.

    ``source`` is a results folder, its ``results.jsonl``, a folder of results folders, a pattern such as
    ``reports/*-cpu``, or several of these. A verdict or a failure without measurement is a row without a value.
    ``frame.attrs`` has the ``schema`` version and ``notes``: lines on runs that did not end, were not judged, or share
    their name with another machine's. Raises `ResultsError`, with a line for each folder that cannot be read.
    """
    paths = folders(source)
    with uncollected():  # all records are gone again when the search for garbage goes on
        return _frame(paths)


def _frame(paths: Sequence[Path]) -> pd.DataFrame:
    runs = _distinct(_readable(paths))
    parts = [columns(run.header, run.pairs, run.failures) for run in runs]
    joined = {name: [value for part in parts for value in part[name]] for name in COLUMN_NAMES}
    frame = typed(joined, numbers=of_kind("number") | of_kind("integer"), flags=of_kind("flag"))
    frame = frame.astype(dict.fromkeys(sorted(of_kind("integer")), "int64"))
    frame.attrs = {"schema": VERSION, "notes": [*_notes(runs, paths)]}
    return frame


def folders(source: str | Path | Iterable[str | Path]) -> list[Path]:
    """The results folders that a source names, each once. Raises `ResultsError` if it names none."""
    sources = [source] if isinstance(source, str | Path) else list(source)
    found = [folder for one in sources for folder in _folders(Path(one))]
    if not found:
        raise ResultsError(
            f"no results folder: {', '.join(map(str, sources)) or 'nothing was given'}; run `suite bench`"
        )
    return list({path.resolve(): path for path in found}.values())


def _folders(path: Path) -> list[Path]:
    if any(character in str(path) for character in PATTERN) and not path.exists():
        root = Path(path.anchor) if path.is_absolute() else Path()
        matches = _matches(root, str(path.relative_to(path.anchor) if path.is_absolute() else path))
        return [match.parent if match.name == RESULTS else match for match in matches if _is_run(match)]
    if path.name == RESULTS:
        return [path.parent]
    if path.is_dir() and not (path / RESULTS).exists():
        return sorted({run.parent for run in path.glob(f"*/{RESULTS}") if run.parent.name != LATEST}) or [path]
    return [path]


def _matches(root: Path, pattern: str) -> list[Path]:
    try:
        return sorted(root.glob(pattern))
    except ValueError as error:  # Python 3.11 and 3.12 refuse `**` beside other characters
        raise ResultsError(f"{pattern}: no valid pattern: {error}; write ** as a folder of its own") from error


def _is_run(path: Path) -> bool:
    return path.name == RESULTS or (path / RESULTS).is_file()


def _readable(paths: Iterable[Path]) -> list[LoadedRun]:
    runs, problems = [], []
    for path in paths:
        try:
            runs.append(_loaded(path))
        except ResultsError as error:
            problems.append(str(error))
    if problems:
        raise ResultsError("\n".join(problems))
    return runs


def _loaded(path: Path) -> LoadedRun:
    folder = RunFolder.open(path)
    records, header = folder.brief(), folder.header
    measurements = last_measurements(records)
    verdicts = last_verdicts(one for one in records if isinstance(one, BriefVerdict))
    pairs = paired(measurements, [one for one in verdicts if one.shape is None])
    left = _without_rows([one for one in records if isinstance(one, CellFailure)], pairs)
    notes = [f"{path}: {line}" for line in _about(header, verdicts, unfinished_of(header, records))]
    return LoadedRun(path=path, header=header, pairs=pairs, failures=left, notes=notes)


def _without_rows(failures: Sequence[CellFailure], pairs: Sequence[Pair]) -> list[CellFailure]:
    """The last failure of each group of which no measurement and no verdict tells."""
    failed = {(one.cell, one.group): one for one in failures}
    for cell, _, found, verdict in pairs if failed else ():
        group = found.group if found else verdict.group if verdict else None
        failed.pop((cell, group), None)  # type: ignore[arg-type]  # a pair has at least one of the two
    return list(failed.values())


def _about(header: RunHeader, verdicts: Sequence[Judged], problem: str) -> Iterable[str]:
    if problem:
        yield problem
    if not header.groups:
        yield "an older version wrote it: whether the run came to its end is not known"
    if not verdicts:
        yield "nothing was judged: the run was made with --expect=off, or ended before its first verdict"
    if not header.quiet:
        yield "its process was not quiet: its timings do not count"


def _distinct(runs: Iterable[LoadedRun]) -> list[LoadedRun]:
    """Each run of each machine once: the copy that was given first."""
    known: dict[tuple[str, str], LoadedRun] = {}
    for run in runs:
        known.setdefault((run.header.run, run.header.where.machine), run)
    return list(known.values())


def _notes(runs: Sequence[LoadedRun], paths: Sequence[Path]) -> Iterable[str]:
    for run in runs:
        yield from run.notes
    machines: dict[str, list[str]] = {}
    for run in runs:
        machines.setdefault(run.header.run, []).append(run.header.where.machine)
    for name, here in machines.items():
        if len(here) > 1:
            yield f"run {name} is there of {len(here)} machines: {', '.join(here)}; tell rows apart by run and machine"
    if len(runs) < len(paths):
        left = sorted(set(map(str, paths)) - {str(run.path) for run in runs})
        yield f"{', '.join(left)}: the same run of the same machine as a folder before; left out"
