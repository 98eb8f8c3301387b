"""Results folders of a run's parts as one folder: records of each cell once, environments kept apart.

Only records are known here; `suite.bench.merged_run` judges what concerns the whole.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from suite.bench.shard import ShardLabel
from suite.core import files
from suite.core.errors import ResultsError
from suite.core.garbage import uncollected
from suite.core.records import Cell, Group, GroupEnd, RunEnd, RunHeader
from suite.report.endings import unfinished_counts
from suite.report.results.folder import RunFolder, replace_file
from suite.report.results.lines import BriefCell, BriefLine, BriefVerdict, CountedMeasurement

Key = tuple[Cell, Group]
V = TypeVar("V")


@dataclass(frozen=True, kw_only=True)
class RunPart:
    """One folder to be merged, read but not kept.

    ``keys`` has one entry for each line of its file: cell and group of the line's record, ``None`` for what the merged
    run writes anew (header, end, sweeps). ``ended`` are the groups that came to their end. ``samples`` has the cell and
    the group of the values that each file of raw samples belongs to, by its name.
    """

    folder: RunFolder
    keys: Sequence[Key | None]
    ended: frozenset[Key]
    problem: str
    code: int | None
    samples: Mapping[str, Key]

    @property
    def label(self) -> ShardLabel | None:
        """Which part of a larger run it is; ``None`` for a run of its own."""
        return ShardLabel.read(self.folder.header.shard)


@dataclass(frozen=True, kw_only=True)
class MergedParts:
    """Parts of one environment: the merged ``header``, the part that each group is taken from, and lines to be told.

    ``problem`` says why the parts are not the whole run; empty if they are.
    """

    parts: Sequence[RunPart]
    header: RunHeader
    owners: Mapping[Key, RunPart]
    notes: Sequence[str]
    problem: str

    @property
    def ended(self) -> frozenset[Key]:
        """The groups that are complete."""
        return frozenset(key for key, part in self.owners.items() if key in part.ended)


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
    """Make the folder of a merged run below ``out``, with copies of the raw samples that its values name.

    The folder has no end yet. If a part cannot be read to its end, `ResultsError` is raised and no folder is left.
    """
    folder = RunFolder.create(out, found.header)
    try:
        for part in found.parts:
            folder.append_lines(_lines(part, found.owners))
            _copy_samples(part, found.owners, folder)
    except BaseException:
        shutil.rmtree(folder.path, ignore_errors=True)
        raise
    return folder


def _copy_samples(part: RunPart, owners: Mapping[Key, RunPart], folder: RunFolder) -> None:
    """Copy the samples of values that are taken from this part: a cut group of another may have one of that name."""
    for name, key in part.samples.items():
        source = part.folder.samples_path(name)
        if owners[key] is part and source.exists():
            _copy(source, folder.samples_path(name))


def _copy(source: Path, target: Path) -> None:
    try:
        replace_file(target, source.read_bytes())
    except OSError as error:
        raise ResultsError(f"cannot read {source}: {error.strerror}; copy the folder again") from error


def _lines(part: RunPart, owners: Mapping[Key, RunPart]) -> Iterator[bytes]:
    """The lines of a part that the merged run takes, as they are; those that were added since it was read are left."""
    lines = (line for _, line in files.read_lines(part.folder.results))
    for key in part.keys:
        line = next(lines, None)
        if line is None:
            raise ResultsError(f"{part.folder.results} became shorter while it was read; merge again when it is whole")
        if key is not None and owners[key] is part:
            yield line


def _part(folder: RunFolder) -> RunPart:
    keys: list[Key | None] = []
    known: dict[tuple[object, Group], Key] = {}
    ended: dict[Key, int] = {}
    metrics: dict[tuple[BriefCell, str], Group] = {}
    samples: dict[str, Key] = {}
    last: object = None
    with uncollected():
        for last in folder.lines():
            key = _key(last, known)
            keys.append(key)
            if isinstance(last, CountedMeasurement):
                metrics[last.cell, last.metric] = last.group
                if key is not None and last.samples:
                    samples[last.samples] = key
            if isinstance(last, GroupEnd):
                ended[last.cell, last.group] = last.metrics
        here = Counter(known[cell, group] for (cell, _), group in metrics.items())
    planned = folder.header.groups
    return RunPart(
        folder=folder, keys=keys, ended=frozenset(ended), samples=samples,
        problem=unfinished_counts(planned, here, ended, last) if planned else "",
        code=last.code if isinstance(last, RunEnd) else None,
    )  # fmt: skip


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
    return MergedParts(
        parts=parts, header=_header(parts, len(owners)), owners=owners, notes=list(_duplicates(parts, owners)),
        problem=_missing(parts),
    )  # fmt: skip


def _key(record: BriefLine, known: dict[tuple[object, Group], Key]) -> Key | None:
    """``None`` for what belongs to the run as a whole; a part sees but a part of a sweep's points.

    Equal keys are one object, which ``known`` has by the cells of records.
    """
    if isinstance(record, RunHeader | RunEnd) or (isinstance(record, BriefVerdict) and record.shape is not None):
        return None
    seen = (record.cell, record.group)
    if seen not in known:
        cell = record.cell.whole() if isinstance(record.cell, BriefCell) else record.cell
        known[seen] = known.setdefault((cell, record.group), (cell, record.group))
    return known[seen]


def _owners(parts: Sequence[RunPart]) -> dict[Key, RunPart]:
    """Whose records of a group of a cell are taken: the first part that completed it, else the first that has any."""
    owners: dict[Key, RunPart] = {}
    for part in parts:
        owners |= {key: part for key in part.ended if key not in owners}
    for part in parts:
        owners |= {key: part for key in dict.fromkeys(part.keys) if key is not None and key not in owners}
    return owners


def _duplicates(parts: Sequence[RunPart], owners: Mapping[Key, RunPart]) -> Iterator[str]:
    """A line for each cell that is in several parts."""
    told: dict[tuple[Cell, str, str], list[str]] = {}
    for part in parts:
        for key in dict.fromkeys(part.keys):
            if key is not None and owners[key] is not part:
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
