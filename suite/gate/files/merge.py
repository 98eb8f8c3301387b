"""Merge expectations into the text of a file: other entries, comments and order stay as they are."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from suite.core.errors import ExpectationFileError
from suite.core.records import Expectation, Origin, ShapeExpectation
from suite.gate.bounds import mirrored
from suite.gate.files.edit import Editor, Key, header
from suite.gate.files.parse import MEASURED_KEYS, ORIGIN_KEYS, ExpectationFile, parse

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

COMPARED = ("versions", "machine", "threads", "data_digest")  # commit and date alone make no other origin


@dataclass(frozen=True, kw_only=True)
class Merged:
    """The new ``text`` of the file at ``path``, and how many entries it gains and changes."""

    path: Path
    text: str
    changed: bool
    added: int
    updated: int


def merge(
    text: str | None, *, path: Path, entries: Iterable[Expectation], origin: Origin, family: str | None = None
) -> Merged:
    """``text`` (None: no file yet) with ``entries``, all of them recorded at ``origin``.

    An updated entry keeps its xfail and only, is retired no longer, and gets a new favourable bound where it had one.
    ``family`` is the hardware family of a machine's file. Raises `ExpectationFileError` where ``text`` is malformed,
    or cannot be edited without touching other entries.
    """
    before = ExpectationFile(origin=Origin(), entries=()) if text is None else parse(text, path)
    old = {_key(entry): entry for entry in before.entries}
    new = {_key(entry): _kept(entry, old.get(_key(entry))) for entry in entries}
    if not new:
        return Merged(path=path, text=text or "", changed=False, added=0, updated=0)
    whole = old.keys() <= new.keys()  # no entry remains that the file's origin has to speak for
    recorded = {} if whole else _recorded(origin, before.origin)
    editor = Editor(text, path)
    named = {"family": family} if family else {}
    if whole or (family and family != before.family):
        editor.set_origin(_origin_items(origin if whole else before.origin) | named)
    wanted = {key: _measured_items(entry) | recorded for key, entry in new.items()}
    updated = sum(editor.update(key, wanted[key]) for key in new if key in old)
    added = sorted(key for key in new if key not in old)
    for key in added:
        editor.append(key, wanted[key] | _marks(new[key]))
    result = editor.text()
    _verify(result, path=path, before=before, new=new, origin=origin if whole else before.origin)
    return Merged(path=path, text=result, changed=result != text, added=len(added), updated=updated)


def _key(entry: Expectation) -> Key:
    return entry.technique, entry.metric


def _kept(entry: Expectation, old: Expectation | None) -> Expectation:
    """``entry`` with what a run does not know: marks, and the wish to be told of improvements."""
    if old is None:
        return entry
    entry = replace(entry, xfail=old.xfail, only=old.only)
    if entry.high is None and entry.low is not None and old.high is not None:
        return replace(entry, high=_favourable(max([entry.value, *entry.seen.values()]), entry.low, entry))
    if entry.low is None and entry.high is not None and old.low is not None:
        return replace(entry, low=_favourable(min([entry.value, *entry.seen.values()]), entry.high, entry))
    return entry


def _favourable(best: float, bound: float, entry: Expectation) -> float:
    """The bound that tells of improvements, beyond the ``best`` figure of all machines that were seen."""
    return mirrored(best, best - (entry.value - bound))


def _measured_items(entry: Expectation) -> dict[str, Any]:
    items = _given(entry, [key for key in MEASURED_KEYS if key != "recorded"])
    items["by_seed"] = {str(seed): value for seed, value in entry.by_seed.items()}
    mappings = {key: dict(sorted(items[key].items())) for key in ("conditions", "seen", "fingerprint")} | {
        "by_seed": items["by_seed"]
    }
    return {key: mappings.get(key, value) for key, value in items.items() if value != {}}


def _marks(entry: Expectation) -> dict[str, Any]:
    xfail = entry.xfail and {"reason": entry.xfail.reason, "until": entry.xfail.until}
    marks = {"xfail": xfail, "only": list(entry.only)}
    return {key: value for key, value in marks.items() if value}


def _origin_items(origin: Origin) -> dict[str, Any]:
    items = _given(origin, ORIGIN_KEYS)
    versions = dict(sorted(origin.versions.items()))
    return {key: versions if key == "versions" else value for key, value in items.items() if value != {}}


def _given(record: Expectation | Origin, keys: Iterable[str]) -> dict[str, Any]:
    items = {key: getattr(record, key) for key in keys}
    return {key: value for key, value in items.items() if value is not None}


def _recorded(origin: Origin, of_file: Origin) -> dict[str, Any]:
    """What an entry has to say of its own origin: every field that differs, or nothing where only the day does."""
    items, stored = _origin_items(origin), _origin_items(of_file)
    if not any(key in items and items[key] != stored.get(key) for key in COMPARED):
        return {}
    # TOML has no null: without this, the entry would seem to come from the file's commit
    items.setdefault("commit", "unknown")
    return {"recorded": {key: value for key, value in items.items() if stored.get(key) != value}}


def _verify(text: str, *, path: Path, before: ExpectationFile, new: Mapping[Key, Expectation], origin: Origin) -> None:
    """The new text holds what it is to hold, and every other entry and shape still says the same."""
    after = parse(text, path)
    found = {_key(entry): entry for entry in after.entries}
    kept = {_key(entry): entry for entry in before.entries if _key(entry) not in new}
    wrong = [header(key) for key, entry in new.items() if key not in found or _bare(found[key]) != _bare(entry)]
    wrong += [
        header(key) for key, entry in kept.items() if key not in found or replace(found[key], line=entry.line) != entry
    ]
    wrong += [] if after.origin == origin else ["[origin]"]
    wrong += [] if _unplaced(after.shapes) == _unplaced(before.shapes) else ["the shapes"]
    if wrong:
        raise ExpectationFileError(
            path, None, f"cannot be updated without damage to {', '.join(wrong)}; write each as one plain table"
        )


def _unplaced(shapes: Iterable[ShapeExpectation]) -> list[ShapeExpectation]:
    return [replace(shape, line=0) for shape in shapes]


def _bare(entry: Expectation) -> Expectation:
    return replace(entry, origin=Origin(), path="", line=0)
