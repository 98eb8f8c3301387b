"""The history's files: JSON Lines that several processes may append to; nothing in them is ever changed."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from suite.core.errors import ResultsError
from suite.core.files import append_lines, locked
from suite.report.history.entries import HistoryEntry, decode, encode, new, of_run
from suite.report.results.folder import RunFolder

FOLDER = "history"  # below the folder of reports


def path_of(reports_dir: Path, machine: str) -> Path:
    """The file of a machine's history."""
    return reports_dir / FOLDER / f"{machine}.jsonl"


def remember(folder: RunFolder, reports_dir: Path) -> tuple[Path, int]:
    """Add a run's figures to the history of its machine; its path and how many were not there.

    Partial and interrupted runs are added too: each line is independent of the others. Raises `ResultsError` if the
    file cannot be written.
    """
    path = path_of(reports_dir, folder.header.where.machine)
    return path, append(path, of_run(folder))


def append(path: Path, entries: Iterable[HistoryEntry]) -> int:
    """Add the entries that the file does not have yet, and return how many; safe for several writers.

    A lock is held from reading to writing, so that the same run is not added twice at once. A last
    line that a killed process left unfinished is kept, and ended. Raises `ResultsError`.
    """
    try:
        with locked(path):
            added = new(entries, read(path)[0])
            append_lines(path, [encode(entry).rstrip(b"\n") for entry in added], keeps_torn=True)
    except OSError as error:
        raise ResultsError(
            f"cannot add to the history {path}: {error.strerror or error}; choose a writable folder with --reports-dir"
        ) from error
    return len(added)


def read(path: Path) -> tuple[list[HistoryEntry], list[str]]:
    """The entries of a file in their order, and a remark on each line that is none; no file is an empty history."""
    if not path.exists():
        return [], []
    entries, remarks = [], []
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        try:
            entries.append(decode(line))
        except (ValueError, TypeError, KeyError) as error:
            remarks.append(f"{path}:{number}: passed over, no line of this version or a torn one: {error}")
    return entries, remarks
