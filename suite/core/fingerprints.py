"""What a count is made of: a multiset of names by their place, and what came and went between two of them.

A key is a name, or a name with its place: ``aten.copy_ @ model.py:forward:3f2a``. The place ends with
a digest of the line's text, so keys stay where lines only move.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from types import MappingProxyType

AT = " @ "
MOST = 5  # names that a sentence holds
MOST_LINES = 3  # of one name


Keys = Mapping[str, int]
Lines = Mapping[str, str]


def differences(now: Keys, before: Keys, lines: Lines, were: Lines = MappingProxyType({})) -> list[str]:
    """What came and went by name, the most first: ``+2 aten.copy_, at model.py:41``.

    A name that only moved has not changed. ``lines`` has the present line of each key that has a place, and ``were``
    the former one. Where that is not known, what went is told with its function: ``-1 aten.relu, in model.py:forward``.
    """
    names = _by_name(now)
    names.subtract(_by_name(before))
    moved = {key: now.get(key, 0) - before.get(key, 0) for key in dict.fromkeys((*now, *before))}
    changed = sorted((name for name in names if names[name]), key=lambda name: (-abs(names[name]), name))
    said = [f"{names[name]:+d} {name}{_where(name, names[name], moved, lines, were)}" for name in changed[:MOST]]
    left = len(changed) - MOST
    return [*said, f"and {left} more"] if left > 0 else said


def _by_name(keys: Keys) -> Counter[str]:
    found: Counter[str] = Counter()
    for key, count in keys.items():
        found[_name(key)] += count
    return found


def _name(key: str) -> str:
    return key.partition(AT)[0]


def _where(name: str, change: int, moved: Keys, lines: Lines, were: Lines) -> str:
    """The lines of those keys of a name that have changed in its direction."""
    keys = [key for key in moved if _name(key) == name and moved[key] * change > 0]
    if change > 0:
        return _several(", at ", [lines[key] for key in keys if key in lines])
    if were:
        return _several(", was at ", [were[key] for key in keys if key in were])
    return _several(", in ", [key.partition(AT)[2].rpartition(":")[0] for key in keys if AT in key])


def _several(word: str, places: list[str]) -> str:
    distinct = list(dict.fromkeys(places))
    left = len(distinct) - MOST_LINES
    more = f" and {left} more" if left > 0 else ""
    return f"{word}{' and '.join(distinct[:MOST_LINES])}{more}" if distinct else ""
