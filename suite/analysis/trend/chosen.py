"""The values of a history that `suite trend` selects, and the message if none are left."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from suite.core.errors import UsageError, unknown
from suite.report.history.entries import HistoryEntry

NAMES: Mapping[str, Callable[[HistoryEntry], str]] = {
    "workload": lambda entry: entry.cell.workload,
    "technique": lambda entry: entry.cell.technique,
    "metric": lambda entry: entry.metric,
    "since": lambda entry: entry.started,
}


def filters(asked: Mapping[str, str]) -> dict[str, Callable[[HistoryEntry], bool]]:
    """By option whether an entry is wanted: of this workload, with a part of a name, or begun since; empty is any."""
    return {option: _filter(option, value) for option, value in asked.items() if value}


def is_trusted(entry: HistoryEntry) -> bool:
    """Whether it was measured in a quiet process and nothing made it suspect."""
    return entry.quiet and not entry.suspect


def since_of(given: str) -> str:
    """An ISO time as histories write it, which is in UTC; empty for none. Raises `UsageError` for what is none."""
    try:
        time = datetime.fromisoformat(given) if given else None
    except ValueError as error:
        raise UsageError(f"--since {given}: no ISO time ({error}); give one like 2026-11-01") from None
    if time is None:
        return ""
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC).isoformat(timespec="seconds")


def told(path: Path, entries: Sequence[HistoryEntry], asked: Mapping[str, str]) -> Iterator[str]:
    """Which file was read, how many figures it holds, and the first option that leaves none of them."""
    if not path.exists():
        yield _absent(path)
        return
    yield f"{path} holds {len(entries)} figures"
    left = list(entries)
    for option, passes in filters(asked).items():
        before, left = left, [entry for entry in left if passes(entry)]
        if before and not left:
            yield f"--{option} {asked[option]} leaves none of {len(before)}: {_near(option, asked[option], before)}"
    if left and not any(is_trusted(entry) for entry in left):
        yield f"all {len(left)} that were asked for are suspect, or were not measured in a quiet process"


def _filter(option: str, value: str) -> Callable[[HistoryEntry], bool]:
    name = NAMES[option]
    if option == "since":
        return lambda entry: name(entry) >= value
    if option == "workload":
        return lambda entry: name(entry) == value
    return lambda entry: value in name(entry)


def _near(option: str, value: str, entries: Collection[HistoryEntry]) -> str:
    names = {NAMES[option](entry) for entry in entries}
    return f"the last run began at {max(names)}" if option == "since" else str(unknown(option, value, names))


def _absent(path: Path) -> str:
    """What to say of a machine that has no history, with those that have one."""
    others = [other.stem for other in path.parent.glob("*.jsonl")]
    return f"{path} is not there" + (f": {unknown('machine', path.stem, others)}" if others else "")
