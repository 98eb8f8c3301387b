"""Store measurements as expectations: bounds from their noise, merged into what is stored already."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from suite.core.errors import SuiteError, unknown
from suite.core.metrics import is_paired
from suite.core.records import Cell, Expectation, Measurement, Origin, RunHeader, Where
from suite.core.stats.null_arm import arm_doubt, null_ratios, run_doubt, same_work_ratios
from suite.gate import sound
from suite.gate.bounds import UNKNOWN_RATIO_MARGIN
from suite.gate.drift import why_not_joined, with_run
from suite.gate.files.files import level_families, load_all, read
from suite.gate.files.match import caps_agree
from suite.gate.files.merge import Merged, merge
from suite.gate.files.write import one_writer, replace_files
from suite.gate.hours import ENOUGH_PROCESSES
from suite.gate.recording.checks import (
    bound_doubt,
    day_of,
    doubt,
    drift_doubt,
    from_too_few,
    is_timed,
    null_doubts,
    quality_doubts,
    weaker,
)
from suite.gate.recording.machines import ANYWHERE, expectation, level_of, shared

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

_Key = tuple[str, str, str, str]  # level, workload, technique, metric
FEW = 2  # names that a line of what is not recorded spells out


@dataclass(frozen=True)
class Skipped:
    """A figure, or a name that was asked for, that is not recorded, and why."""

    name: str
    reason: str

    def __str__(self) -> str:
        return f"{self.name}: {self.reason}"


def skipped_lines(skipped: Iterable[Skipped]) -> list[str]:
    """A line for each reason, with the figures that it holds for; their number, where there are more than two."""
    names: dict[str, list[str]] = {}
    for one in skipped:
        names.setdefault(one.reason, []).append(one.name)
    return [f"{_several(found)}: {reason}" for reason, found in names.items()]


def _several(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) <= FEW else f"{len(names)} figures ({names[0]} to {names[-1]})"


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """What was written: files that ``changed``, entries ``added`` and ``updated``; ``skipped`` says what and why.

    ``notes`` are what the user should know of what was recorded.
    """

    changed: tuple[Path, ...] = ()
    added: int = 0
    updated: int = 0
    skipped: tuple[Skipped, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Storing:
    """How measurements become expectations.

    ``new`` leaves entries that exist as they are. ``single`` records ratios of times from fewer than three processes,
    with wide bounds. ``anew`` forgets what this machine's earlier runs saw, for code that was changed on purpose.
    ``drift`` does nothing but add this run's ratios to entries that exist, however few its processes.
    """

    new: bool = False
    single: bool = False
    anew: bool = False
    drift: bool = False


def record(
    measurements: Iterable[Measurement],
    *,
    header: RunHeader,
    directory: Path,
    only: Collection[str] = (),
    how: Storing = Storing(),
    partial: bool = False,
) -> Recorded:
    """Merge measurements into ``directory/<level>/<workload>.toml``; entries that this run did not measure stay.

    ``only`` limits it to canonical technique names or cells (``str(cell)``). An entry from more seeds or processes is
    never replaced by one from fewer. All timings of a workload are skipped if its baseline is not as fast as its own
    copy. All timings of a run are skipped if its null arms are biased, and those of a cell if its quality has
    regressed. Ratios of times are stored beside what this machine's earlier runs saw, with bounds that cover all of
    them. Raises `ExpectationFileError` for a malformed file and `SuiteError` where one cannot be written or the run is
    ``partial``; nothing at all is then written.
    """
    if partial:
        _refuse_partial()
    directory, measured = Path(directory), list(measurements)
    chosen = [m for m in measured if not only or {m.cell.technique, str(m.cell)} & set(only)]
    with one_writer(directory):  # read within, too: what another process has just recorded must not be lost
        stored = _by_key(load_all(directory))
        terms = _Terms(header=header, how=how, timings=sum(is_paired(one.metric) for one in measured))
        doubts = _doubts(chosen, measured, stored, terms)
        trusted = [m for m, said in zip(chosen, doubts, strict=True) if not said]
        entries = _entries(trusted, stored, terms, directory)
        merged = [_merged(path, entries, header) for path, entries in _by_file(entries, directory).items()]
        changed = {one.path: one.text for one in merged if one.changed}
        replace_files(changed)
    skipped = [Skipped(f"{m.cell} {m.metric}", said) for m, said in zip(chosen, doubts, strict=True) if said]
    return Recorded(
        changed=tuple(changed),
        added=sum(one.added for one in merged),
        updated=sum(one.updated for one in merged),
        skipped=(*skipped, *_unmatched(only, measured)),
        notes=tuple(_notes(trusted, stored, entries, terms)) if changed else (),
    )


@dataclass(frozen=True, kw_only=True)
class _Terms:
    """The run, how its values are to be stored, and how many ratios of times it has measured."""

    header: RunHeader
    how: Storing
    timings: int = 1

    @property
    def at(self) -> str:
        """The run's start to the minute: what a machine's entry names it by."""
        return self.header.started[:16]


def _doubts(
    chosen: Sequence[Measurement],
    measured: Sequence[Measurement],
    stored: Mapping[_Key, Expectation],
    terms: _Terms,
) -> list[str]:
    """Why each chosen measurement is not recorded, empty where it is; the whole run may speak against it."""
    biased = null_doubts(measured)
    doubts = [_doubt(one, biased, stored, terms) for one in chosen]
    return _with_times(chosen, doubts, _time_doubts(measured, stored, terms))


def _doubt(
    one: Measurement, biased: Mapping[tuple[str, str], str], stored: Mapping[_Key, Expectation], terms: _Terms
) -> str:
    """Why a measurement is not recorded; empty where it is."""
    header, before = terms.header, _stored_for(one, stored, terms.header.where)
    if before is not None and not caps_agree(before, header.where.memory_cap):
        return "the stored entries have another memory cap; record into another folder (--expect-dir)"
    if terms.how.drift:
        said = why_not_joined(one, before, header.where) or doubt(one, header, biased, single=True)
        return said or drift_doubt(one, before, header, terms.timings) or _entry_doubt(one, before, terms)
    said = doubt(one, header, biased, single=terms.how.single) or weaker(one, before, header, new=terms.how.new)
    return said or _entry_doubt(one, before, terms)


def _entry_doubt(one: Measurement, before: Expectation | None, terms: _Terms) -> str:
    """Why the entry that would be stored is none that a gate can use; empty where it is."""
    entry = _entry(one, before, terms)
    said = "" if terms.how.anew else bound_doubt(entry, before)
    found = sound.fault(entry)
    return said or (f"its entry would detect no regression: {found.problem}" if found else "")


def _time_doubts(
    measured: Iterable[Measurement], stored: Mapping[_Key, Expectation], terms: _Terms
) -> Mapping[Cell, str]:
    """By cell, why nothing timed of it is recorded: the run's null arms, or a quality that has regressed."""
    measured = list(measured)
    whole = run_doubt(null_ratios(measured)) or arm_doubt(same_work_ratios(measured))
    failed = (
        {}
        if terms.how.anew
        else quality_doubts(measured, lambda one: _stored_for(one, stored, terms.header.where), terms.header)
    )
    return {one.cell: whole or failed.get(one.cell, "") for one in measured}


def _with_times(measured: Sequence[Measurement], doubts: Sequence[str], of_times: Mapping[Cell, str]) -> list[str]:
    pairs = zip(measured, doubts, strict=True)
    return [said or (of_times[one.cell] if is_timed(one) else "") for one, said in pairs]


def _refuse_partial() -> None:
    raise SuiteError(
        "a run that was interrupted or narrowed by -k records nothing, as it would leave old values beside new ones; "
        "run it whole, or choose what to record with --technique or `suite record <folder> --only`"
    )


def _by_key(entries: Iterable[Expectation]) -> dict[_Key, Expectation]:
    return {(entry.level, entry.workload, entry.technique, entry.metric): entry for entry in entries}


def _stored_for(measured: Measurement, stored: Mapping[_Key, Expectation], where: Where) -> Expectation | None:
    cell = measured.cell
    return stored.get((level_of(measured, where), cell.workload, cell.technique, measured.metric))


def _entries(
    measured: Iterable[Measurement], stored: Mapping[_Key, Expectation], terms: _Terms, directory: Path
) -> list[Expectation]:
    """The new entries of this machine, of its family and of what holds anywhere."""
    where = terms.header.where
    own = [_entry(one, _stored_for(one, stored, where), terms) for one in measured]
    return [*own, *shared(own, stored.values(), level_families(directory), where)]


def _entry(measured: Measurement, before: Expectation | None, terms: _Terms) -> Expectation:
    if terms.how.drift and before is not None:
        return with_run(before, measured, terms.at)
    return expectation(measured, before, terms.header.where, at=terms.at, anew=terms.how.anew)


def _by_file(entries: Iterable[Expectation], directory: Path) -> Mapping[Path, list[Expectation]]:
    """The expectations by the file they belong to, sorted; none is empty."""
    files: dict[Path, list[Expectation]] = {}
    for entry in entries:
        files.setdefault(directory / entry.level / f"{entry.workload}.toml", []).append(entry)
    return dict(sorted(files.items()))


def _merged(path: Path, entries: list[Expectation], header: RunHeader) -> Merged:
    own = entries[0].level == header.where.machine
    return merge(
        read(path) if path.exists() else None,
        path=path,
        entries=entries,
        origin=_origin(entries[0], header),
        family=header.where.family if own else None,
    )


def _notes(
    measured: Sequence[Measurement], stored: Mapping[_Key, Expectation], entries: Sequence[Expectation], terms: _Terms
) -> Iterator[str]:
    few = [] if terms.how.drift else [one for one in measured if from_too_few(one)]
    if few:
        yield (
            f"{len(few)} ratios from fewer than {ENOUGH_PROCESSES} processes: their bounds are at least "
            f"{UNKNOWN_RATIO_MARGIN:.0%} away; record again with --expect=record for sharper ones"
        )
    yield from _noise_note(measured, stored, entries, terms.header.where)


def _noise_note(
    measured: Iterable[Measurement], stored: Mapping[_Key, Expectation], entries: Iterable[Expectation], where: Where
) -> Iterator[str]:
    """How the noise of ratios of times has changed, where it is known before and after."""
    now = _by_key(entries)
    pairs = ((_stored_for(one, stored, where), one, _stored_for(one, now, where)) for one in measured)
    noises = [
        (before.noise, one.noise, after.noise)
        for before, one, after in pairs
        if is_paired(one.metric) and before and after and before.noise and one.noise and after.noise
    ]
    if noises:
        was, own, becomes = (median(column) for column in zip(*noises, strict=True))
        yield (
            f"noise of {len(noises)} ratios of times, in the median: {was:.2%} was stored, {own:.2%} in this run, "
            f"{becomes:.2%} is stored now"
        )


def _origin(entry: Expectation, header: RunHeader) -> Origin:
    """Where the figures of one file come from; machine and threads do not matter to what holds anywhere."""
    where = header.where
    return Origin(
        commit=header.commit,
        date=day_of(header.started),
        versions=dict(where.versions),
        machine=where.machine if entry.level == where.machine else None,
        threads=where.threads if entry.level != ANYWHERE else None,
        data_digest=where.data_digests.get(entry.workload),
    )


def _unmatched(only: Collection[str], measured: Iterable[Measurement]) -> Iterator[Skipped]:
    """The names in ``only`` that are no part of this run, so that a misspelt name is reported."""
    names = {name for m in measured for name in (m.cell.technique, str(m.cell))}
    for name in only:
        if name not in names:
            yield Skipped(name, f"not measured in this run; {unknown('technique or cell', name, names)}")
