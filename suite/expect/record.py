"""Store measurements as expectations: bounds from their noise, merged into what is stored already."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from suite.errors import UsageError, unknown
from suite.expect.bounds import SIGMAS, propose, stored_value
from suite.expect.files import load_all, read
from suite.expect.judge import TIME_UNITS
from suite.expect.merge import merge
from suite.expect.write import one_writer, replace_files
from suite.metrics import METRICS
from suite.records import Expectation, Measurement, Origin, RunHeader, Where

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

TOO_NOISY = 0.9  # four times the noise: a lower bound would be next to nothing, and nothing could regress


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """What was written: files that ``changed``, entries ``added`` and ``updated``; ``skipped`` says what and why."""

    changed: tuple[Path, ...] = ()
    added: int = 0
    updated: int = 0
    skipped: tuple[str, ...] = ()


def record(
    measurements: Iterable[Measurement],
    *,
    header: RunHeader,
    directory: Path,
    only: Collection[str] = (),
    new: bool = False,
) -> Recorded:
    """Merge measurements into ``directory/<level>/<workload>.toml``; entries that this run did not measure stay.

    ``only`` limits it to canonical technique names or cells (``str(cell)``). Raises `ExpectationFileError` for a
    malformed file and `SuiteError` where one cannot be written; nothing at all is then written. ``new`` leaves
    entries that exist as they are. An entry from more seeds or processes is never replaced by one from fewer.
    """
    directory = Path(directory)
    measured = list(measurements)
    chosen = [m for m in measured if not only or {m.cell.technique, str(m.cell)} & set(only)]
    stored = {(e.level, e.workload, e.technique, e.metric): e for e in load_all(directory)}
    doubts = {id(m): _doubt(m, header) or _weaker(m, header, stored, new=new) for m in chosen}
    skipped = [f"{m.cell} {m.metric}: {doubts[id(m)]}" for m in chosen if doubts[id(m)]]
    files = _by_file([m for m in chosen if not doubts[id(m)]], header, directory)
    with one_writer(directory):
        merged = [
            merge(read(path) if path.exists() else None, path=path, entries=entries, origin=_origin(entries[0], header))
            for path, entries in files.items()
        ]
        changed = {one.path: one.text for one in merged if one.changed}
        replace_files(changed)
    return Recorded(
        changed=tuple(changed),
        added=sum(one.added for one in merged),
        updated=sum(one.updated for one in merged),
        skipped=(*skipped, *_unmatched(only, measured)),
    )


def _doubt(measured: Measurement, header: RunHeader) -> str:
    """Why a measurement must not become an expectation; empty where it may."""
    known = METRICS.get(measured.metric)
    if known is None:
        return str(unknown("metric", measured.metric, METRICS))
    timed = measured.unit in TIME_UNITS or known.judged == "interval"
    noise = SIGMAS * (measured.noise or 0.0)
    doubts = {
        f"suspect: {measured.suspect}": measured.suspect,
        f"its value is {measured.value!r}": not math.isfinite(measured.value),
        f"measured as {measured.unit}, {measured.better} is better; the catalogue has {known.unit}, {known.better}": (
            (measured.unit, measured.better) != (known.unit, known.better)
        ),
        "a timing outside a quiet process; run it through `suite bench`": timed and not header.quiet,
        f"too noisy to gate: four times its noise is {noise:.0%}; measure it on a quieter machine": (
            noise >= TOO_NOISY and measured.better == "higher" and known.noise == "relative"
        ),
    }
    return next((doubt for doubt, holds in doubts.items() if holds), "")


def _weaker(
    measured: Measurement, header: RunHeader, stored: Mapping[tuple[str, str, str, str], Expectation], *, new: bool
) -> str:
    """Why what is stored is better than this measurement; empty where it is not."""
    cell = measured.cell
    entry = stored.get((_level(measured, header.where), cell.workload, cell.technique, measured.metric))
    if entry is None:
        return ""
    if new:
        return "has an expectation already"
    if (entry.seeds or 0) > len(measured.seeds) > 0:
        return f"stored from {entry.seeds} seeds, measured with {len(measured.seeds)}; run it with as many"
    if (entry.processes or 0) > measured.processes:
        return f"stored from {entry.processes} processes, measured in {measured.processes}; run it with --expect=record"
    return ""


def _by_file(measured: Iterable[Measurement], header: RunHeader, directory: Path) -> Mapping[Path, list[Expectation]]:
    """The expectations by the file they belong to, sorted; none is empty."""
    files: dict[Path, list[Expectation]] = {}
    for one in measured:
        entry = _expectation(one, _level(one, header.where))
        files.setdefault(directory / entry.level / f"{entry.workload}.toml", []).append(entry)
    return dict(sorted(files.items()))


def _level(measured: Measurement, where: Where) -> str:
    return {"family": where.family, "local": where.machine}.get(measured.tier, "any")


def _expectation(measured: Measurement, level: str) -> Expectation:
    low, high = propose(measured)
    noise = measured.noise if measured.noise is not None and math.isfinite(measured.noise) else None
    return Expectation(
        workload=measured.cell.workload,
        technique=measured.cell.technique,
        metric=measured.metric,
        level=level,
        value=stored_value(measured),
        low=low,
        high=high,
        unit=measured.unit,
        better=measured.better,
        tier=measured.tier,
        seeds=len(measured.seeds) or None,
        processes=measured.processes if measured.processes > 1 else None,
        noise=None if noise is None else float(f"{noise:.4g}"),
    )


def _origin(entry: Expectation, header: RunHeader) -> Origin:
    """Where the figures of one file come from; machine and threads do not matter to what holds anywhere."""
    where = header.where
    here = entry.level != "any"
    return Origin(
        commit=header.commit,
        date=_date(header.started),
        versions=dict(where.versions),
        machine=where.machine if here else None,
        threads=where.threads if here else None,
        data_digest=where.data_digests.get(entry.workload),
    )


def _date(started: str) -> date:
    try:
        return datetime.fromisoformat(started).date()
    except ValueError as error:
        raise UsageError(f"the run's start {started!r} is no ISO 8601 time such as 2026-11-23T10:00:00Z") from error


def _unmatched(only: Collection[str], measured: Iterable[Measurement]) -> Iterator[str]:
    """What was asked for and is no part of this run, so that a misspelt name does not pass for recorded."""
    names = {name for m in measured for name in (m.cell.technique, str(m.cell))}
    for name in only:
        if name not in names:
            yield f"{name}: not measured in this run; {unknown('technique or cell', name, names)}"
