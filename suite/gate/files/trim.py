"""Entries that nothing can answer any more, because no technique of their name and parameters is known."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from suite.core.errors import UsageError
from suite.gate.files.edit import Editor
from suite.gate.files.files import read
from suite.gate.files.write import one_writer, replace_files

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from suite.core.records import Expectation


def orphans(
    entries: Iterable[Expectation], *, workloads: Collection[str], canonical: Callable[[str], str]
) -> list[Expectation]:
    """Those of known ``workloads`` whose technique ``canonical`` refuses; retired ones wait for no answer.

    Of workloads that are not known nothing is said: they may be another project's.
    """
    return [
        entry
        for entry in entries
        if entry.workload in workloads and not entry.retired and not _is_known(entry.technique, canonical)
    ]


def _is_known(technique: str, canonical: Callable[[str], str]) -> bool:
    try:
        canonical(technique)
    except UsageError:
        return False
    return True


def told(entry: Expectation) -> str:
    """One line on an orphan."""
    return (
        f"{entry.path}:{entry.line}: orphaned: no technique {entry.technique!r} is known (removed, renamed, other "
        "parameters, or its module is not loaded); `suite record --trim` removes it"
    )


def trim(directory: Path, found: Iterable[Expectation]) -> tuple[Path, ...]:
    """Remove entries from their files below ``directory``, all else in them stays; returns the changed files.

    Raises `SuiteError` where a file cannot be written; nothing is then changed.
    """
    by_file: dict[Path, list[Expectation]] = {}
    for entry in found:
        by_file.setdefault(Path(entry.path), []).append(entry)
    with one_writer(directory):
        replace_files({path: _without(path, entries) for path, entries in by_file.items()})
    return tuple(by_file)


def _without(path: Path, entries: Iterable[Expectation]) -> str:
    editor = Editor(read(path), path)
    for entry in entries:
        editor.remove((entry.technique, entry.metric))
    return editor.text()
