"""What a trade-off table says, in three sentences for each workload and device: best, free, losing.

A technique has no measurable loss if the interval of its difference to the baseline holds zero or lies on the better
side. That is the paired difference where the baseline is its control; else the two scores' own intervals, which are
wider, are taken together as those of independent figures. It is faster if the whole interval of its speed-up is above
1. Ratios that something disturbed say nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from suite.core.composition import BASELINE
from suite.core.metrics import VS_CONTROL
from suite.core.units.values import times
from suite.report.columns import ENDS, Row, is_share, plainly

FEW = 4  # names that a sentence spells out
NOTICEABLE = 1.02  # times smaller or faster: less is not worth a sentence


@dataclass(frozen=True)
class AgainstBaseline:
    """A row and its difference to the baseline, in the score's unit: value, low, high."""

    row: Row
    value: float
    low: float
    high: float

    @property
    def name(self) -> str:
        return str(self.row["technique"])

    @property
    def loses(self) -> bool:
        """Whether the loss can be told from none."""
        return self.high < 0 if self.row["score_better"] == "higher" else self.low > 0

    @property
    def least_loss(self) -> float:
        """The smallest loss that could have shown: how far the interval reaches to the better side."""
        return self.high - self.value if self.row["score_better"] == "higher" else self.value - self.low

    @property
    def is_faster(self) -> bool:
        low = self.row.get("speedup_low")
        return low is not None and low > 1 and self.row["speedup"] >= NOTICEABLE and not self.row.get("speedup_suspect")

    @property
    def is_smaller(self) -> bool:
        ratio = self.row.get("bytes_ratio")
        return ratio is not None and ratio >= NOTICEABLE


def sentences(rows: Iterable[Row]) -> list[str]:
    """The sentences of all workloads and devices, each line with its workload; none where nothing was compared."""
    places = by_place(rows).items()
    return [f"{workload} on {device}: {said}" for (workload, device), own in places if (said := _said(own))]


def by_place(rows: Iterable[Row]) -> dict[tuple[str, str], list[Row]]:
    """The rows of each workload and device, in order of first appearance."""
    found: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        found.setdefault((row["workload"], row["device"]), []).append(row)
    return found


def compared(rows: list[Row]) -> list[AgainstBaseline]:
    """The rows of one workload and device whose difference to their baseline is known."""
    base = next((row for row in rows if row["technique"] == BASELINE), None)
    return [one for row in rows if row is not base and (one := _standing(row, base)) is not None]


def _said(rows: list[Row]) -> str:
    found = compared(rows)
    if not found:
        return ""
    kept = [one for one in found if not one.loses]
    faster = sorted((one for one in kept if one.is_faster), key=lambda one: -one.row["speedup"])
    smaller = sorted((one for one in kept if one.is_smaller), key=lambda one: -one.row["bytes_ratio"])
    lost = sorted((one for one in found if one.loses), key=lambda one: -abs(one.value))
    points = _Points(share=is_share(rows), unit=rows[0]["score_unit"] or "1")
    best = _best(faster, smaller, points) if faster or smaller else _nothing(found)
    return " ".join(filter(None, (best, _free(faster, points), _losing(lost, points))))


def _standing(row: Row, base: Row | None) -> AgainstBaseline | None:
    """``None`` where the score or its interval is not known."""
    score = row["score"]
    if row.get("control") == BASELINE:
        paired = _ends(row, f"{score}{VS_CONTROL}")
        return None if paired is None else AgainstBaseline(row, *paired)
    ours, theirs = _ends(row, score), _ends(base or {}, score)
    if ours is None or theirs is None:
        return None
    value = ours[0] - theirs[0]
    down = math.hypot(ours[0] - ours[1], theirs[2] - theirs[0])
    up = math.hypot(ours[2] - ours[0], theirs[0] - theirs[1])
    return AgainstBaseline(row, value, value - down, value + up)


def _ends(row: Row, figure: str | None) -> tuple[float, float, float] | None:
    """Value, low and high of a figure; ``None`` where one of them is missing."""
    value, low, high = (row.get(f"{figure}{end}") for end in ENDS)
    return None if value is None or low is None or high is None else (value, low, high)


@dataclass(frozen=True)
class _Points:
    """How effects on the score are written."""

    share: bool
    unit: str

    def of(self, effect: float) -> str:
        return f"{plainly(abs(effect), share=self.share, unit=self.unit)}{' points' if self.share else ''}"


def _nothing(found: list[AgainstBaseline]) -> str:
    """What was compared, and nothing was better in it. Sizes are compared with a baseline that is a cell, too."""
    faster = any(one.row.get("speedup") is not None and not one.row.get("speedup_suspect") for one in found)
    smaller = any(one.row.get("bytes_ratio") is not None for one in found)
    if faster and smaller:
        return "nothing serves faster or smaller without a measurable loss."
    if faster:
        return "nothing serves faster without a measurable loss; no size beside the baseline's is known."
    if smaller:
        return "nothing is smaller without a measurable loss; no sound speed-up is known."
    return "no sound speed-up and no size beside the baseline's is known."


def _best(faster: list[AgainstBaseline], smaller: list[AgainstBaseline], points: _Points) -> str:
    if not faster:
        small = smaller[0]
        return f"{small.name} is smallest without a measurable loss, {_times(small)}; nothing is faster without one."
    first = faster[0]
    size = f", {_times(first)}" if first.is_smaller else ""
    speed = times(*(first.row[f"speedup{end}"] for end in ENDS))
    seen = f" (a loss shows from {points.of(first.least_loss)})" if first.least_loss else ""
    said = f"{first.name} is fastest without a measurable loss{seen}, {speed}{size}"
    if smaller and smaller[0] is not first:
        return f"{said}; {smaller[0].name} is smallest, {_times(smaller[0])}."
    return f"{said}."


def _free(faster: list[AgainstBaseline], points: _Points) -> str:
    """The others that are faster, each with the loss that would have shown."""

    def told(one: AgainstBaseline) -> str:
        return f"{times(one.row['speedup'])}, from {points.of(one.least_loss)}"

    others = faster[1:]
    return f"Faster without one, too: {_listed(others, told)}." if others else ""


def _losing(lost: list[AgainstBaseline], points: _Points) -> str:
    """What loses, the worst first, with how much."""
    return f"With a loss: {_listed(lost, lambda one: points.of(one.value))}." if lost else ""


def _times(one: AgainstBaseline) -> str:
    return f"{one.row['bytes_ratio']:.2f} times smaller"


def _listed(found: list[AgainstBaseline], figure: Callable[[AgainstBaseline], str]) -> str:
    shown = [f"{one.name} ({figure(one)})" for one in found[:FEW]]
    more = len(found) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")
