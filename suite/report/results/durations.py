"""How long each group of each cell took in earlier runs, read from their folders."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from suite.core.records import Cell, Duration, Group, RunHeader
from suite.report.results.folder import RESULTS, RunFolder
from suite.report.results.lines import decode, encode

MOST_RUNS = 50


@dataclass(frozen=True, kw_only=True)
class Past:
    """One earlier run: its day and the seconds of what it measured, by cell and group."""

    day: str
    reuse: bool
    seconds: dict[Cell, dict[Group, float]]


def alike(reports_dir: Path, now: RunHeader) -> list[Past]:
    """The runs below ``reports_dir`` of the same profile, machine, device, threads, seeds and processes, newest first.

    Folders that cannot be read are passed over: they are history, and no figure depends on them.
    """
    found = [(header, path) for path in reports_dir.glob(f"*/{RESULTS}") if (header := _header(path)) is not None]
    same = [(header, path) for header, path in found if _terms(header) == _terms(now) and header.run != now.run]
    newest = sorted({header.run: (header, path) for header, path in same}.values(), key=lambda one: one[0].started)
    pasts = (_past(header, path) for header, path in newest[: -MOST_RUNS - 1 : -1])
    return [past for past in pasts if past.seconds]


def seconds_of(path: Path) -> dict[Cell, float]:
    """Seconds of each cell of one run, all groups together. Raises `ResultsError` for a folder that holds no run."""
    folder = RunFolder.open(path)
    return {cell: sum(groups.values()) for cell, groups in _past(folder.header, folder.results).seconds.items()}


def _terms(header: RunHeader) -> tuple[object, ...]:
    where = header.where
    return header.profile, where.machine, where.device, where.threads, header.seeds, header.processes


def _header(path: Path) -> RunHeader | None:
    with suppress(OSError, ValueError, TypeError, AttributeError), path.open("rb") as file:
        first = decode(file.readline())
        return first if isinstance(first, RunHeader) else None
    return None


def _past(header: RunHeader, path: Path) -> Past:
    seconds: dict[Cell, dict[Group, float]] = {}
    reuse = False
    for one in _durations(path):
        seconds.setdefault(one.cell, {})[one.group] = one.seconds
        reuse = reuse or one.reuse
    return Past(day=header.started[:10], reuse=reuse, seconds=seconds)


def _durations(path: Path) -> Iterator[Duration]:
    """The durations of a results file; its other lines, which are many, are not decoded."""
    lines: list[bytes] = []
    with suppress(OSError):
        lines = path.read_bytes().splitlines()
    for line in lines:
        if line.startswith(PREFIX):
            with suppress(ValueError, TypeError, AttributeError):
                found = decode(line)
                if isinstance(found, Duration):
                    yield found


_ANY = Duration(cell=Cell(workload="", technique="", device=""), group="size", seconds=0.0)
PREFIX = encode(_ANY).partition(",")[0].encode() + b","  # how `encode` begins the line of a duration
