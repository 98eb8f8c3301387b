"""Which line of a TOML text a table or key stands on; TOML parsers of Python do not say."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass

_KEY = re.compile(r"""[ \t]*(?:"([^"]*)"|'([^']*)'|([A-Za-z0-9_-]+))[ \t]*[.=]""")


@dataclass(frozen=True, kw_only=True)
class LineBlock:
    """The lines ``start`` to ``stop`` (from 0, half open) of one table; ``path`` holds the keys of its header.

    What stands before the first header has an empty ``path``.
    """

    path: tuple[str, ...]
    start: int
    stop: int


def blocks(text: str) -> tuple[LineBlock, ...]:
    """The tables of a valid TOML text, in its order; together they hold every line."""
    lines = text.split("\n")
    starts: list[tuple[int, tuple[str, ...]]] = [(0, ())]
    for number, line in enumerate(lines):
        path = _header(line)
        # Within a text or list of several lines nothing is a header: what precedes it is then not yet complete.
        if path and _complete("\n".join(lines[starts[-1][0] : number])):
            starts.append((number, path))
    stops = [start for start, _ in starts[1:]] + [len(lines)]
    return tuple(
        LineBlock(path=path, start=start, stop=stop) for (start, path), stop in zip(starts, stops, strict=True)
    )


class Lines:
    """Line numbers (from 1) of tables and their direct keys."""

    def __init__(self, text: str) -> None:
        """``text`` must be valid TOML."""
        self._numbers: dict[tuple[str, ...], int] = {}
        lines = text.split("\n")
        for block in blocks(text):
            if block.path:
                self._numbers.setdefault(block.path, block.start + 1)
            for number in range(block.start, block.stop):
                if match := _KEY.match(lines[number]):
                    self._numbers.setdefault((*block.path, match[match.lastindex or 0]), number + 1)

    def of(self, *keys: str) -> int | None:
        """The line of the key, or of the nearest table around it that has one."""
        known = (self._numbers.get(keys[:end]) for end in range(len(keys), 0, -1))
        return next((number for number in known if number), None)


def _header(line: str) -> tuple[str, ...]:
    """The keys of a table's header; none where the line is no header."""
    if not line.lstrip().startswith("["):
        return ()
    try:
        node = tomllib.loads(line.strip())
    except tomllib.TOMLDecodeError:
        return ()
    keys = []
    while isinstance(node, dict) and node:
        key, node = next(iter(node.items()))
        keys.append(key)
    return tuple(keys)


def _complete(text: str) -> bool:
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return False
    return True
