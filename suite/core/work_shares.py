"""Multiply-accumulates by the precision and the device of the kernel: ``{"int8 on CPU": 1000, "fp32 on CPU": 10}``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

ON = " on "


def precision_of(key: str) -> str:
    """The precision of one key."""
    return key.partition(ON)[0]


def main_precision(macs: Mapping[str, int]) -> str | None:
    """The precision of most multiply-accumulates; ``None`` for none."""
    found: Counter[str] = Counter()
    for key, count in macs.items():
        found[precision_of(key)] += count
    return max(found, key=lambda name: (found[name], name)) if found else None


def shares_text(macs: Mapping[str, int]) -> str:
    """``int8 on CPU 98.2 %, fp32 on CPU 1.8 %``: the largest share first; empty for no products."""
    total = sum(macs.values())
    largest = sorted(macs.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{key} {100 * count / total:.1f} %" for key, count in largest) if total else ""
