"""The end of a run as plain text for the terminal: a compact table, what needs attention, and what to do about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from suite.records import Cell, Expectation, Measurement, Verdict, VerdictKind
from suite.report.frame import SEVERITY
from suite.report.tradeoffs import percent, points, records, size, times, verdict_of

if TYPE_CHECKING:
    import pandas as pd

Figures = dict[str, Callable[[dict[str, Any]], str]]

ATTENTION = frozenset(
    {
        VerdictKind.REGRESSED,
        VerdictKind.IMPROVED,
        VerdictKind.MISSING,
        VerdictKind.ERROR,
        VerdictKind.XPASS,
        VerdictKind.INCONCLUSIVE,
    }
)
GAP = "  "
SHORTEST_NAME = 20  # columns are left out before the names of techniques become shorter than this
LONGEST_REASON = 300
BOUND_DIGITS = 6  # as expectation files have them, to be found there

FIGURES: Figures = {
    "accuracy": lambda row: percent(row["accuracy"]),
    "vs control": lambda row: points(*(row[f"accuracy_vs_control{end}"] for end in ("", "_low", "_high"))),
    "size": lambda row: size(row["artefact_bytes"]),
    "speed-up": lambda row: times(*(row[f"speedup{end}"] for end in ("", "_low", "_high"))),
    "memory": lambda row: size(row["peak_memory_inference"]),
    "verdict": verdict_of,
}
NARROW: Figures = FIGURES | {"vs control": lambda row: points(row["accuracy_vs_control"])}
LAYOUTS: tuple[Figures, ...] = (
    FIGURES,
    {name: FIGURES[name] for name in ("accuracy", "vs control", "size", "speed-up", "verdict")},
    {name: NARROW[name] for name in ("accuracy", "vs control", "size", "speed-up", "verdict")},
    {name: NARROW[name] for name in ("accuracy", "vs control", "speed-up", "verdict")},
    {name: NARROW[name] for name in ("vs control", "speed-up", "verdict")},
    {name: NARROW[name] for name in ("speed-up", "verdict")},
    {name: NARROW[name] for name in ("verdict",)},
)
"""What the table shows: the first that fits."""


def table(tradeoffs_frame: pd.DataFrame, width: int) -> str:
    """The trade-off table, aligned, below a line for each workload and device; ``width`` in characters.

    In a narrow terminal figures are left out, then names of techniques are shortened in their middle. Names (of nine
    characters at least) and verdicts always stay.
    """
    rows = records(tradeoffs_frame)
    names = [row["technique"] for row in rows]
    for layout in LAYOUTS:
        columns = {name: [name, *(show(row) for row in rows)] for name, show in layout.items()}
        room = width - len(GAP) - sum(len(GAP) + max(map(len, column)) for column in columns.values())
        short = [_shorten(name, max(room, len("technique"))) for name in names]
        if room >= min(SHORTEST_NAME, max(map(len, names), default=0)) and len(set(short)) == len(set(names)):
            break
    heading, *lines = _aligned(["technique", *short], columns)
    return "\n".join([heading, *_grouped([f"{row['workload']} on {row['device']}" for row in rows], lines)])


def attention(verdicts: Iterable[Verdict], *, rerun: Callable[[Verdict], str]) -> list[str]:
    """Two lines for each cell that needs attention, worst cells first: its worst metric, and how to run it again.

    ``rerun`` gives the command for a verdict, quoted for the shell.
    """
    cells: dict[Cell, list[Verdict]] = {}
    for verdict in sorted(verdicts, key=_severity):  # stable: the order of the run among equals
        if verdict.kind in ATTENTION:
            cells.setdefault(verdict.cell, []).append(verdict)
    lines = []
    for worst, *further in cells.values():
        more = f" +{len(further)} more" if further else ""
        lines += [f"{worst.kind.upper()} {_name(worst.cell)}: {_finding(worst)}{more}", f"    {rerun(worst)}"]
    return lines


def counts(verdicts: Iterable[Verdict]) -> str:
    """How many verdicts of each kind, worst first: ``1 regressed, 3 unverified, 41 pass``."""
    found = Counter(verdict.kind for verdict in verdicts)
    return ", ".join(f"{found[kind]} {kind}" for kind in SEVERITY if found[kind]) or "no verdicts"


def unverified_hint(verdicts: Iterable[Verdict], record_command: str) -> str | None:
    """What has no expectation here and the command that records it; ``None`` if everything has one."""
    found = [verdict for verdict in verdicts if verdict.kind is VerdictKind.UNVERIFIED]
    if not found:
        return None
    cells = len({verdict.cell for verdict in found})
    metrics, of = _plural(len(found), "metric"), _plural(cells, "cell")
    are, them = ("is", "it") if len(found) == 1 else ("are", "them")
    return f"{metrics} of {of} {are} unverified: no expectation applies here; record {them} with\n    {record_command}"


def unavailable(verdicts: Iterable[Verdict]) -> list[str]:
    """One line for each cell that cannot run here and each reason."""
    found = (verdict for verdict in verdicts if verdict.kind is VerdictKind.UNAVAILABLE)
    return list(
        dict.fromkeys(f"{_name(verdict.cell)}: {_flat(verdict.reason) or 'no reason given'}" for verdict in found)
    )


# -- the table --------------------------------------------------------------------------------------------------------


def _aligned(names: list[str], columns: dict[str, list[str]]) -> list[str]:
    """Lines of names and figures, verdicts to the left, other figures to the right; the first line is the heading."""
    cells = [[name.ljust(max(map(len, names))) for name in names]]
    for title, column in columns.items():
        taken = max(map(len, column))
        cells.append([text.ljust(taken) if title == "verdict" else text.rjust(taken) for text in column])
    return [(GAP + GAP.join(line)).rstrip() for line in zip(*cells, strict=True)]


def _grouped(titles: list[str], lines: list[str]) -> list[str]:
    groups: dict[str, list[str]] = {}
    for title, line in zip(titles, lines, strict=True):
        groups.setdefault(title, [title]).append(line)
    return [line for group in groups.values() for line in group]


def _shorten(name: str, room: int) -> str:
    """``name`` in at most ``room`` characters: both its beginning and its last parameters tell it from others."""
    if len(name) <= room:
        return name
    head = (room - 2) // 2
    return f"{name[:head]}..{name[len(name) - (room - 2 - head) :]}"


# -- what needs attention ---------------------------------------------------------------------------------------------


def _severity(verdict: Verdict) -> int:
    return SEVERITY.index(verdict.kind)


def _name(cell: Cell) -> str:
    return f"{cell.workload} {cell.technique} {cell.device}"


def _flat(reason: str) -> str:
    """A reason on one line; the end of a long one (a traceback's message) says most."""
    text = " ".join(reason.split())
    return text if len(text) <= LONGEST_REASON else f"...{text[-LONGEST_REASON:]}"


def _finding(verdict: Verdict) -> str:
    expectation, reason = verdict.expectation, _flat(verdict.reason)
    what = f"{verdict.metric or verdict.group}{_measured(verdict.measurement, expectation)}"
    if verdict.kind is VerdictKind.MISSING:
        what += " was not measured"
    if expectation is not None:
        what += f", {_bound(verdict.measurement, expectation)} ({expectation.path}:{expectation.line})"
    return f"{what}: {reason}" if reason else what


def _measured(measurement: Measurement | None, expectation: Expectation | None) -> str:
    if measurement is None:
        return ""
    bounds = [] if expectation is None else [expectation.low, expectation.high]
    text = number(measurement.value, bounds=bounds)
    if measurement.low is not None and measurement.high is not None:
        text += f" [{number(measurement.low, bounds=bounds)}, {number(measurement.high, bounds=bounds)}]"
    return f" = {text}{_unit(measurement.unit)}"


def _bound(measurement: Measurement | None, expectation: Expectation) -> str:
    """The bound that the value breaks, else all there are."""
    low, high, unit = expectation.low, expectation.high, _unit(expectation.unit)
    value = None if measurement is None else measurement.value
    if low is not None and (high is None or (value is not None and value < low)):
        return f"bound >= {number(low, digits=BOUND_DIGITS)}{unit}"
    if high is not None and (low is None or (value is not None and value > high)):
        return f"bound <= {number(high, digits=BOUND_DIGITS)}{unit}"
    return f"bounds {_span(low, high)}{unit}"


def _span(low: float | None, high: float | None) -> str:
    ends = [number(end, digits=BOUND_DIGITS) for end in (low, high) if end is not None]
    return f"[{', '.join(ends)}]" if ends else "none"


def number(value: float, *, bounds: Iterable[float | None] = (), digits: int = 4) -> str:
    """Four digits and whole numbers in full; more digits where rounding would put it on the other side of a bound."""
    limits = [bound for bound in bounds if bound is not None]
    for count in range(digits, 18):
        text = _digits(value, count)
        if all(_side(_parsed(text), limit) == _side(value, limit) for limit in limits):
            return text
    return repr(value)


def _side(value: float, bound: float) -> int:
    return (value > bound) - (value < bound)


def _parsed(text: str) -> float:
    return float(text.replace(",", ""))


def _digits(value: float, digits: int) -> str:
    if value == round(value) or abs(value) >= 10**digits:
        return f"{value:,.0f}"
    return f"{value:.{digits}g}"


def _unit(unit: str) -> str:
    return "" if unit == "1" else f" {unit}"


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
