"""The end of a run as plain text for the terminal: cells that need attention, each with the next command."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

from suite.core.metrics import is_paired
from suite.core.records import Cell, Expectation, Measurement, Verdict, VerdictKind
from suite.core.units.values import number, unit_of
from suite.report.foreign import printable
from suite.report.frames import SEVERITY

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
LONGEST_REASON = 300
FEW = 2  # unverified metrics that are named
BOUND_DIGITS = 6  # as expectation files have them, to be found there


def attention(verdicts: Iterable[Verdict], *, rerun: Callable[[Verdict], str]) -> list[str]:
    """Two lines for each cell that needs attention, worst cells first: its worst metric, and how to run it again.

    ``rerun`` gives the command for a verdict, quoted for the shell.
    """
    cells: dict[Cell, list[Verdict]] = {}
    for verdict in sorted(verdicts, key=_weight):  # stable: the order of the run among equals
        if verdict.kind in ATTENTION:
            cells.setdefault(verdict.cell, []).append(verdict)
    lines = []
    for worst, *further in cells.values():
        more = f" (and {counts(further)} more)" if further else ""
        lines += [f"{worst.kind.upper()} {name_of(worst.cell)}: {finding(worst)}{more}", f"    {rerun(worst)}"]
    return lines


def counts(verdicts: Iterable[Verdict]) -> str:
    """How many verdicts of each kind, worst first: ``1 regressed, 3 unverified, 41 pass``."""
    found = Counter(verdict.kind for verdict in verdicts)
    return ", ".join(f"{found[kind]} {kind}" for kind in SEVERITY if found[kind]) or "no verdicts"


def unverified_hint(verdicts: Iterable[Verdict], record_command: str) -> str | None:
    """How many metrics have no expectation here, and the command that records them; ``None`` if all have one."""
    found = [verdict for verdict in verdicts if verdict.kind is VerdictKind.UNVERIFIED]
    if not found:
        return None
    cells = len({verdict.cell for verdict in found})
    metrics, of = _plural(len(found), "metric"), _plural(cells, "cell")
    are, them = ("is", "it") if len(found) == 1 else ("are", "them")
    named = f" ({', '.join(f'{one.cell} {one.metric}' for one in found)})" if len(found) <= FEW else ""
    why = "no expectation applies here; record"
    return f"{metrics} of {of} {are} unverified{named}: {why} {them} with\n    {record_command}"


def drift_hint(verdicts: Iterable[Verdict], drift_command: str) -> str | None:
    """How many timings have bounds from a single run, and the command that adds this run to them.

    ``None`` if every bound comes from runs at several times, or on several machines.
    """
    found = sum(
        is_paired(one.metric) and one.expectation is not None and len(one.expectation.seen) < 2  # noqa: PLR2004
        for one in verdicts
        if one.measurement is not None
    )
    if not found:
        return None
    bounds = "the bound of 1 timing comes" if found == 1 else f"the bounds of {found} timings come"
    return f"{bounds} from one run, so the drift between runs is not known; add this run with\n    {drift_command}"


def unavailable(verdicts: Iterable[Verdict]) -> list[str]:
    """One line for each cell that cannot run here and each reason."""
    found = (verdict for verdict in verdicts if verdict.kind is VerdictKind.UNAVAILABLE)
    return list(
        dict.fromkeys(f"{name_of(verdict.cell)}: {_flat(verdict.reason) or 'no reason given'}" for verdict in found)
    )


# -- what needs attention ---------------------------------------------------------------------------------------------


def _weight(verdict: Verdict) -> tuple[int, bool]:
    """The worst first; among equals what is exact, since it has no noise."""
    exact = verdict.expectation is not None and verdict.expectation.tier == "exact"
    return SEVERITY.index(verdict.kind), not exact


def name_of(cell: Cell) -> str:
    """A cell's name for readers: workload, technique, device."""
    return printable(f"{cell.workload} {cell.technique} {cell.device}")


def _flat(reason: str) -> str:
    """A reason on one line; a long one keeps its end, which has a traceback's message."""
    text = printable(reason).strip()
    return text if len(text) <= LONGEST_REASON else f"...{text[-LONGEST_REASON:]}"


def finding(verdict: Verdict) -> str:
    """The measured value, the bound with its file and line, and the reason, on one line."""
    expectation, reason = verdict.expectation, _flat(verdict.reason)
    what = f"{verdict.metric or verdict.group}{_measured(verdict.measurement, expectation)}"
    if verdict.kind is VerdictKind.MISSING and verdict.measurement is None:
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
    return f" = {text}{unit_of(measurement.unit)}"


def _bound(measurement: Measurement | None, expectation: Expectation) -> str:
    text = bound(measurement, expectation)
    return f"bounds {text}" if text.startswith(("[", "none")) else f"bound {text}"


def bound(measurement: Measurement | None, expectation: Expectation) -> str:
    """The bound that the value crosses, else all bounds: ``>= 2.17``, ``[0.97, 0.99]``."""
    low, high, unit = expectation.low, expectation.high, unit_of(expectation.unit)
    value = None if measurement is None else measurement.value
    if low is not None and (high is None or (value is not None and value < low)):
        return f">= {number(low, digits=BOUND_DIGITS)}{unit}"
    if high is not None and (low is None or (value is not None and value > high)):
        return f"<= {number(high, digits=BOUND_DIGITS)}{unit}"
    return f"{_span(low, high)}{unit}"


def _span(low: float | None, high: float | None) -> str:
    ends = [number(end, digits=BOUND_DIGITS) for end in (low, high) if end is not None]
    return f"[{', '.join(ends)}]" if ends else "none"


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
