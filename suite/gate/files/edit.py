"""Edit the tables of an expectation file; comments, order and all other tables stay as they are.

Each table is edited for itself and put back where it stood, so nothing outside it can change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any

from suite.core.errors import ExpectationFileError
from suite.core.toml_lines import blocks
from suite.gate.files.parse import FILE_ORIGIN_KEYS, MEASURED_KEYS, SCHEMA

if TYPE_CHECKING:
    from pathlib import Path

Key = tuple[str, str]


class Editor:
    """A file's text as pieces of one table each."""

    def __init__(self, text: str | None, path: Path) -> None:
        self._path = path
        self._crlf = text is not None and "\r\n" in text
        start = f"schema = {SCHEMA}\n" if text is None else text.replace("\r\n", "\n")
        self._pieces = list(_pieces(start))

    def text(self) -> str:
        joined = "\n".join(text for _, text in self._pieces)
        return joined.replace("\n", "\r\n") if self._crlf else joined

    def set_origin(self, items: Mapping[str, Any]) -> None:
        place = self._place(("origin",))
        if place is not None:
            self._edit(place, ("origin",), lambda table: _sync(table, items, FILE_ORIGIN_KEYS))
            return
        body, tail = _split_tail(self._pieces[0][1])  # comments there belong to the table that follows
        self._pieces[0] = ((), f"{body.rstrip()}\n")
        self._pieces.insert(1, (("origin",), f"{_table('[origin]', items).rstrip()}{tail or chr(10)}"))

    def update(self, key: Key, items: Mapping[str, Any]) -> bool:
        """Set what was measured; returns whether that changed anything."""
        place = self._place(key)
        if place is None:
            raise ExpectationFileError(
                self._path, None, f"{header(key)} is no table of its own; write it as one to have it updated"
            )
        return self._edit(place, key, lambda table: _sync(table, items, MEASURED_KEYS))

    def remove(self, key: Key) -> None:
        """Take a table out, with the comment right before it; what stands after it belongs to what follows."""
        place = self._place(key)
        if place is None:
            raise ExpectationFileError(self._path, None, f"{header(key)} is no table of its own; remove it by hand")
        _, after = _split_tail(self._pieces.pop(place)[1])
        path, text = self._pieces[place - 1]
        body, before = _split_tail(text)
        self._pieces[place - 1] = (path, body.removesuffix("\n") + _without_last_comment(before) + after)

    def append(self, key: Key, items: Mapping[str, Any]) -> None:
        last, text = self._pieces[-1]
        self._pieces[-1] = (last, f"{text.rstrip()}\n")
        self._pieces.append((key, _table(header(key), items)))

    def _place(self, path: tuple[str, ...]) -> int | None:
        return next((place for place, (found, _) in enumerate(self._pieces) if found == path), None)

    def _edit(self, place: int, path: tuple[str, ...], change: Callable[[MutableMapping[str, Any]], bool]) -> bool:
        import tomlkit  # only who writes needs it

        body, tail = _split_tail(self._pieces[place][1])
        document: Any = tomlkit.parse(body)
        table = document
        for key in path:
            table = table[key]
        if not change(table):
            return False
        self._pieces[place] = (path, document.as_string().removesuffix("\n") + tail)
        return True


def _pieces(text: str) -> Iterator[tuple[tuple[str, ...], str]]:
    """The tables of ``text``, with the tables within an entry or the origin (``["t".m.xfail]``) in its piece."""
    lines = text.split("\n")
    path: tuple[str, ...] = ()
    start = 0
    for block in blocks(text)[1:]:
        nested = (len(path) == 2 or path == ("origin",)) and block.path[: len(path)] == path  # noqa: PLR2004  # technique, metric
        if not nested:
            yield path, "\n".join(lines[start : block.start])
            path, start = block.path, block.start
    yield path, "\n".join(lines[start:])


def _split_tail(text: str) -> tuple[str, str]:
    """The table, and the blank lines and comments after it, which belong to what follows."""
    lines = text.split("\n")
    end = len(lines)
    while end > 1 and (not lines[end - 1].strip() or lines[end - 1].lstrip().startswith("#")):
        end -= 1
    return "\n".join(lines[:end]) + "\n", "".join(f"\n{line}" for line in lines[end:])


def _without_last_comment(tail: str) -> str:
    """The blank lines and comments before a table, less the comment that touches it."""
    lines = tail.split("\n")
    while lines and lines[-1].lstrip().startswith("#"):
        lines.pop()
    return "\n".join(lines).rstrip("\n")


def _sync(table: MutableMapping[str, Any], items: Mapping[str, Any], owned: Iterable[str]) -> bool:
    """Make the ``owned`` keys of ``table`` say ``items``; returns whether any said otherwise."""
    wrong = [key for key in owned if (key in table) != (key in items) or (key in items and table[key] != items[key])]
    for key in wrong:
        if key in items:
            table[key] = _toml(items[key])
        else:
            del table[key]
    return bool(wrong)


def _toml(value: Any) -> Any:
    import tomlkit  # only who writes needs it

    if not isinstance(value, Mapping):
        return tomlkit.item(value)
    table = tomlkit.inline_table()
    for key, item in value.items():
        table.append(key, _toml(item))
    return table


def _table(head: str, items: Mapping[str, Any]) -> str:
    import tomlkit  # only who writes needs it

    table = tomlkit.table()
    for key, value in items.items():
        table.append(key, _toml(value))
    return f"{head}\n{table.as_string()}"


def header(key: Key) -> str:
    import tomlkit  # only who writes needs it

    technique, metric = key
    return f"[{tomlkit.string(technique).as_string()}.{metric}]"
