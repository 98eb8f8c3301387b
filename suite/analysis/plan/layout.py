"""Tables and sentences for the terminal: no line is wider than it, and what is left out for that is said."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence

from suite.report.foreign import printable

GAP = "  "
SHORTEST_NAME = 20  # columns are left out before names become shorter than this
LEAST_WIDTH = 40
NO_BREAK = "\N{NO-BREAK SPACE}"


def aligned(names: Sequence[str], columns: Mapping[str, Sequence[str]], width: int, *, elsewhere: str) -> list[str]:
    """A heading and a line for each name. ``columns`` by title, the most important first, are left out from the right.

    Names are shortened in their middle. ``elsewhere`` says where the columns that are left out can be read.
    """
    kept = dict(columns)
    while kept and _taken(kept) + min(SHORTEST_NAME, max(map(len, names), default=0)) > width:
        kept.popitem()
    room = max(width - _taken(kept), SHORTEST_NAME)
    firsts = ["technique", *(shortened(printable(name), room) for name in names)]
    cells = [_padded(firsts, right=False)]
    cells += [_padded([title, *texts], right=True) for title, texts in kept.items()]
    lines = [(GAP + GAP.join(line)).rstrip() for line in zip(*cells, strict=True)]
    gone = [title for title in columns if title not in kept]
    return lines + (wrapped(f"not shown at this width: {', '.join(gone)}; {elsewhere}", width) if gone else [])


def wrapped(text: str, width: int, *, indent: str = GAP) -> list[str]:
    """A sentence as lines; a word longer than the width (a composition) stays whole, and so do percentages."""
    lines = textwrap.wrap(
        printable(text).replace(" %", f"{NO_BREAK}%"),
        max(width, LEAST_WIDTH),
        initial_indent=indent,
        subsequent_indent=indent + GAP if indent else "",
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [line.replace(NO_BREAK, " ") for line in lines]


def shortened(name: str, room: int) -> str:
    """``name`` in at most ``room`` characters: both its beginning and its last parameters tell it from others."""
    if len(name) <= room:
        return name
    head = (room - 2) // 2
    return f"{name[:head]}..{name[len(name) - (room - 2 - head) :]}"


def _taken(columns: Mapping[str, Sequence[str]]) -> int:
    return len(GAP) + sum(len(GAP) + max(map(len, [title, *texts])) for title, texts in columns.items())


def _padded(texts: Iterable[str], *, right: bool) -> list[str]:
    texts = list(texts)
    taken = max(map(len, texts))
    return [text.rjust(taken) if right else text.ljust(taken) for text in texts]
