"""The columns of a trade-off table for people: which figures a group of rows has, how they are called and shown.

Rows that have the same primary score and serving batch stand in one table; a column without any figure is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

from suite.core.composition import BASELINE
from suite.core.metrics import VS_CONTROL
from suite.core.stats.smallest import shows, smallest_effect
from suite.core.units.values import change, money, number, percent, plain, points, scaled, size, times, unit_of, whole
from suite.report.foreign import code

Row = dict[str, Any]
ENDS = ("", "_low", "_high")
SMALLEST = "_smallest"  # effect that a difference could have shown
OWN_COPY = frozenset({"speedup", "speedup_b1", "speedup_saturated", "train_step_speedup"})
"""Ratios to the baseline: its own is that to its own copy."""
Ends = Literal["all", "shown", "none", "brief"]
"""Which differences stand with their intervals: all, those that show, none; ``brief`` has no smallest effect either."""
ENDS_OF_LAYOUTS: tuple[Ends, ...] = ("shown", "none", "brief")  # from the widest of the terminal
MOST_NAMES = 3  # of ratios that one line names
LAUNCH_BOUND = 0.5  # of the wall time on the device: below it the host sets the pace
JOULES = {
    "energy_per_item": "J an item",
    "energy_per_correct": "J a correct answer",
    "energy_per_epoch": "J an epoch",
    "energy_to_target": "J to the target",
}


@dataclass(frozen=True, kw_only=True)
class Column:
    """``title``, how a row is shown in it, and the ``figure`` of the row that it is about (`None`: always shown).

    ``covers`` are titles of other columns whose figures it shows too.
    """

    title: str
    show: Callable[[Row], str]
    figure: str | None = None
    covers: tuple[str, ...] = ()


def groups(rows: Iterable[Row]) -> list[list[Row]]:
    """Rows in one list for each primary score, way of showing it and serving batch, in order of first appearance."""
    rows = list(rows)
    batches = _batches(rows)
    found: dict[Any, list[Row]] = {}
    for row in rows:
        key = (row["score"], row["score_unit"], row["score_better"], batches.get((row["workload"], row["device"])))
        found.setdefault(key, []).append(row)
    return list(found.values())


def present(columns: Iterable[Column], rows: Iterable[Row]) -> list[Column]:
    """The columns that have a figure in some row."""
    rows = list(rows)
    return [
        column for column in columns if column.figure is None or any(row.get(column.figure) is not None for row in rows)
    ]


def score_columns(
    rows: list[Row], *, difference: str = "vs control", lower: str = " (lower is better)", ends: Ends = "all"
) -> list[Column]:
    """The primary score, its difference to the control and the smallest one that could have shown.

    None where a group of rows has no score. Shares are shown in percent and points, other scores as numbers in their
    unit. ``lower`` marks the title of a score of which less is better; ``ends`` says which differences have intervals.
    """
    score = rows[0]["score"] if rows else None
    if score is None:
        return []
    share, versus = is_share(rows), score + VS_CONTROL
    title = score.replace("_", " ") + (lower if rows[0]["score_better"] == "lower" else "")
    unit = rows[0]["score_unit"] or "1"
    value = Column(
        title=title, show=lambda row: percent(row[score]) if share else plain(row[score], unit), figure=score
    )

    def against(row: Row) -> str:
        figures = (row[versus + end] for end in ENDS)
        return "-" if _is_own_control(row) else compared(*figures, share=share, unit=unit, ends=ends)

    def smallest(row: Row) -> str:
        return "-" if _is_own_control(row) else plainly(row[versus + SMALLEST], share=share, unit=unit)

    least = Column(title=f"shows from{_of_title(difference)}", show=smallest, figure=versus + SMALLEST)
    covers = (least.title,) if ends == "none" else ()
    differences = Column(title=difference, show=against, figure=versus, covers=covers)
    return [value, differences, *([] if ends in ("none", "brief") else [least])]


def compared(
    value: float | None, low: float | None, high: float | None, *, share: bool, unit: str = "1", ends: Ends = "all"
) -> str:
    """A difference with its interval; in words where it is too small to be told from none.

    ``share`` shows it in percentage points: ``-0.28 [-0.61, -0.06]``, ``no effect above 0.34 points``. Without any
    intervals the smallest effect that could have shown stands beside it: ``-0.28 (> 0.22)``, ``none above 0.34``.
    """
    show = points if share else change
    if value is None or low is None or high is None:
        return show(value) if value else "-" if value is None else "0, no interval"
    least = plainly(smallest_effect(value, low, high), share=share, unit=unit)
    if ends == "brief":
        return show(value) if shows(low, high) else "none"
    if ends == "none":
        return f"{show(value)} (> {least})" if shows(low, high) else f"none above {least}"
    if shows(low, high):
        return show(value, low, high)
    interval = show(value, low, high).removeprefix(show(value)) if ends == "all" else ""
    return f"no effect above {least}{' points' if share else ''}{interval}"


def _is_own_control(row: Row) -> bool:
    """Whether the cell was compared with itself: the baseline."""
    return bool(row["technique"] == row.get("control"))


def plainly(effect: float | None, *, share: bool, unit: str = "1") -> str:
    """The size of an effect, in points or in the score's unit."""
    if effect is None:
        return "-"
    return f"{100 * effect:.2f}" if share else f"{number(effect, digits=2)}{unit_of(unit)}"


def _of_title(difference: str) -> str:
    """The unit in the title of a difference: ``, points``."""
    return "".join(difference.partition(",")[1:])


def is_share(rows: Iterable[Row]) -> bool:
    """Whether a group's primary score is a share, to be read in percent: without unit, up to 1, higher is better."""
    rows = list(rows)
    values = [row[row["score"]] for row in rows if row["score"] is not None]
    return (
        all(row["score_unit"] in (None, "1") and row["score_better"] != "lower" for row in rows)
        and all(0 <= value <= 1 for value in values if value is not None)
    )  # fmt: skip


def speedup_column(rows: Iterable[Row], title: str = "speed-up", spell: str = ", batch {}") -> Column:
    """The speed-up at the serving batch, which stands in the title."""
    batch = next((row["speedup_batch"] for row in rows if row["speedup_batch"] is not None), None)
    return Column(
        title=title + ("" if batch is None else spell.format(f"{batch:.0f}")),
        show=lambda row: ratio(row, "speedup", ENDS),
        figure="speedup",
    )


def ratio(row: Row, figure: str, ends: Iterable[str] = ENDS[:1]) -> str:
    """A ratio of times: ``2.24x [2.20, 2.28]``, with a ``?`` if something disturbed it.

    The baseline's is 1 by definition; what was measured is the baseline against its own copy (A/A).
    """
    shown = times(*(row[f"{figure}{end}"] for end in ends))
    if row[figure] is None:
        return shown
    shown += " ?" if row.get(f"{figure}_suspect") else ""
    return f"1 (A/A {shown})" if row["technique"] == BASELINE and figure in OWN_COPY else shown


def suspicions(rows: Iterable[Row]) -> list[str]:
    """A line for each reason why ratios are marked with ``?``, with the ratios that it concerns."""
    found: dict[str, list[str]] = {}
    for row in rows:
        for name in (key.removesuffix("_suspect") for key in row if key.endswith("_suspect") and row[key]):
            found.setdefault(row[f"{name}_suspect"], []).append(f"{name} of {row['technique']}")
    return [f"? not sound: {_first(names)}: {reason}" for reason, names in found.items()]


def _first(names: list[str]) -> str:
    left = len(names) - MOST_NAMES
    return ", ".join(names[:MOST_NAMES]) + (f" and {left} more" if left > 0 else "")


def verdict_of(row: Row) -> str:
    """The verdict of a row of the table, with its flags: ``pass (stale)``, ``pass (launch-bound)``."""
    share = row.get("device_share")
    flags = ["stale"] * bool(row["stale"]) + ["launch-bound"] * (share is not None and share < LAUNCH_BOUND)
    return (row["verdict"] or "-") + (f" ({', '.join(flags)})" if flags else "")


def markdown_columns(rows: list[Row]) -> list[Column]:
    """All columns of one group of rows."""
    columns = [
        Column(title="workload", show=lambda row: row["workload"]),
        Column(title="technique", show=lambda row: _code(row["technique"])),
        Column(title="control", show=lambda row: _code(row["control"])),
        Column(title="device", show=lambda row: row["device"]),
        *score_columns(rows, difference="vs control, points" if is_share(rows) else "vs control"),
        *_found_loss(rows),
        _metric("output error", "output_error", lambda value: "-" if value is None else number(value, digits=2)),
        _metric("artefact", "artefact_bytes", size),
        _metric("smaller", "bytes_ratio", times),
        _metric("coded", "entropy_bytes", size),
        _metric("parameters", "parameters", whole),
        _metric("MACs", "macs", scaled),
        speedup_column(rows),
        _metric("finds a loss of", "speedup_detectable", percent),
        _speed("vs channels_last", "speedup_vs_channels_last"),
        _speed("vs kernel", "speed_vs_kernel"),
        _speed("batch 1", "speedup_b1"),
        _speed("saturated", "speedup_saturated"),
        _speed("training step", "train_step_speedup"),
        _metric("memory", "peak_memory_inference", size),
        _metric("held", "held_memory_inference", size),
        _metric("training memory", "peak_memory_training", size),
        _metric("held in training", "held_memory_training", size),
        *(Column(title=title, show=_joules(name), figure=name) for name, title in JOULES.items()),
        *_costs(rows),
        Column(title="Pareto", show=lambda row: "★" if row["pareto"] else ""),
        Column(title="verdict", show=verdict_of),
    ]
    return present(columns, rows)


def terminal_layouts(rows: list[Row]) -> list[list[Column]]:
    """What the terminal shows of one group of rows, widest first: each layout is less than the one before."""
    wide, short, least = (score_columns(rows, lower=" (lower)", ends=ends) for ends in ENDS_OF_LAYOUTS)
    score, difference, narrow, brief = wide[:1], wide[1:], short[1:], least[1:]
    smaller, memory = _metric("size", "artefact_bytes", size), _metric("memory", "peak_memory_inference", size)
    speedup = speedup_column(rows, spell=" b{}")
    verdict = Column(title="verdict", show=verdict_of)
    layouts = [
        [*score, *difference, smaller, speedup, memory, verdict],
        [*score, *difference, smaller, speedup, verdict],
        [*score, *narrow, smaller, speedup, verdict],
        [*score, *narrow, speedup, verdict],
        [*score, *brief, speedup, verdict],
        [*brief, speedup, verdict],
        [speedup, verdict],
        [verdict],
    ]
    return [present(layout, rows) for layout in layouts]


def _joules(name: str) -> Callable[[Row], str]:
    """An energy, with a ``?`` if its reading is invalid."""

    def show(row: Row) -> str:
        joules = row[name]
        return "-" if joules is None else f"{number(joules, digits=3)}{' ?' if row.get(f'{name}_suspect') else ''}"

    return show


def _costs(rows: list[Row]) -> list[Column]:
    """What a training and a million served items cost; the currency stands in the titles."""
    currency = next((row["currency"] for row in rows if row.get("currency")), "")
    titles = {"training_cost": f"{currency} a training", "cost_per_million": f"{currency} a million items"}
    return [_metric(title, name, money) for name, title in titles.items()]


def _found_loss(rows: list[Row]) -> list[Column]:
    """The loss of the primary score that the gate finds."""
    score = rows[0]["score"] if rows else None
    return [] if score is None else [_metric("score loss found", f"{score}_detectable", percent)]


def _metric(title: str, figure: str, show: Callable[[float | None], str]) -> Column:
    return Column(title=title, show=lambda row: show(row[figure]), figure=figure)


def _speed(title: str, figure: str) -> Column:
    """A ratio of times and, where it is held to a bound, the loss that the gate finds."""

    def show(row: Row) -> str:
        found, shown = row.get(f"{figure}_detectable"), ratio(row, figure)
        return shown if found is None else f"{shown}, finds {percent(found)}"

    return Column(title=title, show=show, figure=figure)


def _batches(rows: Iterable[Row]) -> dict[Any, float]:
    """The serving batch of each workload and device; a cell that was not timed belongs with the others."""
    known = [row for row in rows if row["speedup_batch"] is not None]
    return {(row["workload"], row["device"]): row["speedup_batch"] for row in reversed(known)}


def _code(text: str | None) -> str:
    return code(text) if text else "-"
