"""Counts of work under two versions: which are larger, and the operators that explain it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from suite.compare.exact import Exact
from suite.core.fingerprints import differences
from suite.core.metrics import METRICS, place

if TYPE_CHECKING:
    from suite.compare.judge import Verdict
    from suite.compare.protocol import WorkCounted


def compared(ours: WorkCounted, theirs: WorkCounted, *, gates: bool = True) -> list[Exact]:
    """One figure for each metric that the current code has, in the catalogue's order, and for each that it lost.

    More work is a regression if the comparison ``gates`` sizes.
    """
    names = sorted(ours.values.keys() | theirs.values.keys(), key=place)
    found = [one for name in names for one in _of(name, ours, theirs)]
    return found if gates else [replace(one, verdict="differs") if one.verdict == "regressed" else one for one in found]


def _of(name: str, ours: WorkCounted, theirs: WorkCounted) -> Iterator[Exact]:
    now, before = ours.values.get(name), theirs.values.get(name)
    doubt = ours.doubts.get(name) or theirs.doubts.get(name)
    if now is None or before is None:
        side = "current code" if before is None else "reference"
        yield Exact(
            metric=name, current=now or 0, reference=before or 0, verdict="differs", changes=(f"of the {side} alone",)
        )
    elif doubt:
        yield Exact(metric=name, current=now, reference=before, verdict="inconclusive", changes=(doubt,))
    else:
        changes = differences(
            ours.fingerprints.get(name, {}), theirs.fingerprints.get(name, {}), ours.lines.get(name, {}),
            theirs.lines.get(name, {}),
        )  # fmt: skip
        yield Exact(
            metric=name, current=now, reference=before, verdict=_verdict(name, now, before), changes=tuple(changes)
        )


def _verdict(name: str, now: int, before: int) -> Verdict:
    if now == before:
        return "same"
    return "regressed" if (now > before) == (METRICS[name].better == "lower") else "differs"
