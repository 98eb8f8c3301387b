"""Results folders of a run's parts as one folder: records of each cell once, environments kept apart.

Only records are known here; `suite.bench.merged_run` judges what concerns the whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from suite.bench.shard import ShardLabel
from suite.core.errors import ResultsError
from suite.core.records import Cell, Group, GroupEnd, RunEnd, RunHeader, Verdict
from suite.report.endings import unfinished_of
from suite.report.results.folder import RunFolder
from suite.report.results.lines import Record

Key = tuple[Cell, Group]
V = TypeVar("V")


@dataclass(frozen=True, kw_only=True)
class RunPart:
    """One folder to be merged and all its records but header and end."""

    folder: RunFolder
    records: Sequence[Record]
    problem: str
    code: int | None

    @property
    def label(self) -> ShardLabel | None:
        """Which part of a larger run it is; ``None`` for a run of its own."""
        return ShardLabel.read(self.folder.header.shard)


@dataclass(frozen=True, kw_only=True)
class MergedParts:
    """Parts of one environment: the merged ``header`` and ``records``, and lines on what a reader has to know.

    ``problem`` says why the parts are not the whole run; empty if they are.
    """

    parts: Sequence[RunPart]
    header: RunHeader
    records: Sequence[Record]
    notes: Sequence[str]
    problem: str


def read(paths: Iterable[Path]) -> list[RunPart]:
    """The folders, each once, in the order of their starts. Raises `ResultsError` for one that cannot be read."""
    folders = {path.resolve(): RunFolder.open(path) for path in paths}
    return sorted(map(_part, folders.values()), key=lambda part: (part.folder.header.started, str(part.folder.path)))


def merged(parts: Sequence[RunPart]) -> list[MergedParts]:
    """The parts by environment: machine, versions, code, settings. Each becomes one run."""
    together: dict[str, list[RunPart]] = {}
    for part in parts:
        together.setdefault(repr(_environment(part.folder.header)), []).append(part)
    return [_merged(found) for found in together.values()]


def write(found: MergedParts, out: Path) -> RunFolder:
    """Make the folder of a merged run below ``out``, with copies of the parts' raw samples; it has no end yet."""
    folder = RunFolder.create(out, found.header)
    folder.append(*(record for record in found.records if not isinstance(record, RunHeader)))
    for part in reversed(found.parts):  # of a sample that is there twice the first one stays
        for path in sorted((part.folder.path / "raw").glob("*.parquet")):
            _copy(path, folder.path / "raw" / path.name)
    return folder


def _copy(source: Path, target: Path) -> None:
    from suite.report.results.folder import replace_file

    try:
        replace_file(target, source.read_bytes())
    except OSError as error:
        raise ResultsError(f"cannot read {source}: {error.strerror}; copy the folder again") from error


def _part(folder: RunFolder) -> RunPart:
    records = list(folder.records())
    end = next((one for one in reversed(records) if isinstance(one, RunEnd)), None)
    body = [one for one in records if not isinstance(one, RunHeader | RunEnd)]
    problem = unfinished_of(folder.header, records)
    return RunPart(folder=folder, records=body, problem=problem, code=None if end is None else end.code)


def _environment(header: RunHeader) -> tuple[object, ...]:
    """What has to be equal for figures to stand in one run."""
    where = header.where
    place = (where.machine, where.family, where.device, where.threads, sorted(where.versions.items()), where.memory_cap)
    chosen = tuple(one for one in header.chosen if not one.startswith("shard "))
    settings = (header.profile, header.seeds, header.processes, header.quiet, sorted(header.flags.items()), chosen)
    return place, settings, header.commit, header.sources


def _merged(parts: Sequence[RunPart]) -> MergedParts:
    _check_plans(parts)
    owners = _owners(parts)
    records = [
        record for part in parts for record in part.records
        if not _is_of_sweep(record) and owners[_key(record)] is part
    ]  # fmt: skip
    header = _header(parts, len(owners))
    return MergedParts(
        parts=parts, header=header, records=records, notes=list(_duplicates(parts, owners)), problem=_missing(parts)
    )


def _is_of_sweep(record: Record) -> bool:
    """A part sees a part of a sweep's points: the whole is judged anew."""
    return isinstance(record, Verdict) and record.shape is not None


def _key(record: Record) -> Key:
    assert not isinstance(record, RunHeader | RunEnd)  # noqa: S101  # left out when the folder was read
    return record.cell, record.group


def _owners(parts: Sequence[RunPart]) -> dict[Key, RunPart]:
    """Whose records of a group of a cell are taken: the first part that completed it, else the first that has any."""
    owners: dict[Key, RunPart] = {}
    for wanted in (lambda record: isinstance(record, GroupEnd), lambda record: not _is_of_sweep(record)):
        for part in parts:
            for record in part.records:
                if wanted(record):
                    owners.setdefault(_key(record), part)
    return owners


def _duplicates(parts: Sequence[RunPart], owners: Mapping[Key, RunPart]) -> Iterator[str]:
    """A line for each cell that is in several parts."""
    told: dict[tuple[Cell, str, str], list[str]] = {}
    for part in parts:
        for key in dict.fromkeys(_key(record) for record in part.records if not _is_of_sweep(record)):
            if owners[key] is not part:
                told.setdefault((key[0], str(part.folder.path), str(owners[key].folder.path)), []).append(key[1])
    for (cell, here, owner), groups in told.items():
        yield f"{cell} ({', '.join(groups)}) is also in {here}; the values of {owner} are taken"


def _header(parts: Sequence[RunPart], groups: int) -> RunHeader:
    headers = [part.folder.header for part in parts]
    first = headers[0]
    where = replace(first.where, data_digests=_union(headers, lambda header: header.where.data_digests))
    return replace(
        first, where=where, groups=groups, shard="", run=f"{first.run}-merged",
        chosen=tuple(one for one in first.chosen if not one.startswith("shard ")),
        scores=_union(headers, lambda header: header.scores),
        precisions=_union(headers, lambda header: header.precisions),
        inputs=_union(headers, lambda header: header.inputs),
        load=tuple(dict.fromkeys(name for header in headers for name in header.load)),
    )  # fmt: skip


def _union(headers: Sequence[RunHeader], of: Callable[[RunHeader], Mapping[str, V]]) -> dict[str, V]:
    """What all headers say together. Raises `ResultsError` if two contradict each other: of other data, say."""
    found: dict[str, V] = {}
    for header in headers:
        for name, value in of(header).items():
            if found.setdefault(name, value) != value:
                raise ResultsError(
                    f"the parts do not belong together: {name} is {found[name]!r} in {headers[0].run} and {value!r} in "
                    f"{header.run}; merge runs of the same data and files only"
                )
    return found


def _check_plans(parts: Sequence[RunPart]) -> None:
    """Raise `ResultsError` for shards that were dealt out differently."""
    plans: dict[tuple[str, int], Path] = {}
    for part in parts:
        if part.label is not None:
            plans.setdefault((part.label.plan, part.label.shard.count), part.folder.path)
    if len(plans) > 1:
        one, other = list(plans.values())[:2]
        raise ResultsError(
            f"{one} and {other} are shards of different plans: give every shard the same options, COUNT and --durations"
        )


def _missing(parts: Sequence[RunPart]) -> str:
    """Why these parts are not the whole of a run."""
    cut = [f"{part.folder.path}: {part.problem}" for part in parts if part.problem]
    labels = [part.label.shard for part in parts if part.label is not None]
    if labels:
        there = {label.number for label in labels}
        absent = [number for number in range(1, labels[0].count + 1) if number not in there]
        if absent:
            cut.append(f"shards {', '.join(map(str, absent))} of {labels[0].count} are missing")
    return "; ".join(cut)
