"""What a count is made of: a multiset of names by their place, and what came and went between two of them.

A key is a name, or a name with the place that it comes from: ``aten.copy_ @ model.py:forward:3f2a``. The place ends with
a digest of the line's text, so keys stay where lines only move.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

AT = " @ "
MOST = 5  # names that a sentence holds
MOST_LINES = 3  # of one name


def differences(now: Mapping[str, int], before: Mapping[str, int], lines: Mapping[str, str]) -> list[str]:
    """What came and went by name, the most first: ``+2 aten.copy_, at model.py:41``.

    A name that only moved has not changed. ``lines`` has the present line of each key that has a place; what went is
    told with the function that it was in. Nothing is known without a fingerprint of ``before``.
    """
    if not before or not now:
        return []
    names = _by_name(now)
    names.subtract(_by_name(before))
    changed = sorted((name for name in names if names[name]), key=lambda name: (-abs(names[name]), name))
    said = [f"{names[name]:+d} {name}{_where(name, names[name], now, before, lines)}" for name in changed[:MOST]]
    left = len(changed) - MOST
    return [*said, f"and {left} more"] if left > 0 else said


def _by_name(keys: Mapping[str, int]) -> Counter[str]:
    found: Counter[str] = Counter()
    for key, count in keys.items():
        found[key.partition(AT)[0]] += count
    return found


def _where(name: str, change: int, now: Mapping[str, int], before: Mapping[str, int], lines: Mapping[str, str]) -> str:
    own = [key for key in dict.fromkeys((*now, *before)) if key.partition(AT)[0] == name]
    moved = {key: now.get(key, 0) - before.get(key, 0) for key in own}
    if change > 0:
        places = [lines[key] for key in own if moved[key] > 0 and key in lines]
        return f", at {_several(places)}" if places else ""
    places = [key.partition(AT)[2].rpartition(":")[0] for key in own if moved[key] < 0 and AT in key]
    return f", in {_several(places)}" if places else ""


def _several(places: list[str]) -> str:
    distinct = list(dict.fromkeys(places))
    left = len(distinct) - MOST_LINES
    return " and ".join(distinct[:MOST_LINES]) + (f" and {left} more" if left > 0 else "")
