"""The first section of a page: what the figures say in sentences, then what needs attention, worst first."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Sequence

from suite.core.exit_codes import EXIT_PASS
from suite.core.metrics import SHARES
from suite.core.records import Cell, Expectation, Measurement, RunHeader, Verdict, VerdictKind
from suite.core.units.values import number, unit_of
from suite.report.frames import SEVERITY
from suite.report.headline import sentences
from suite.report.page.markup import bullets, code, details, escaped, paragraph, table
from suite.report.page.run_content import RunContent, labelled
from suite.report.summary import ATTENTION, LONGEST_REASON, bound, counts

MOST_SENTENCES = 4  # of workloads that are read at once; the others on demand
MOST_LINES = 50  # of what needs attention
PLACE = re.compile(r"^\S+:\d+: ")  # file and line, at which causes do not differ
FEW = 3  # cells of one cause that are named
TITLES = ("cell", "verdict", "metric", "stored value", "new value", "loss", "bound", "reason and command")
NUMBERS = frozenset({3, 4, 5, 6})
NO_VERDICT = "No verdict: this run compared nothing with a stored expectation. Run `suite bench` without --expect=off."


def verdict_section(runs: Sequence[RunContent]) -> str:
    """The sentences, the problems and the verdicts of all runs, as HTML."""
    several = len(runs) > 1
    named = labelled(runs)
    headlines = [_headline(line, label if several else "") for run, label in named for line in sentences(run.rows)]
    parts = [
        *(paragraph(f"{label}: {run.problem}", kind="warning") for run, label in named if run.problem),
        *(paragraph((f"{label}: " if several else "") + counts(run.verdicts), kind="counts") for run, label in named),
        _headlines(headlines),
        *(_of_run(run, label if several else "") for run, label in named),
    ]
    return "".join(parts)


def _headlines(lines: Sequence[str]) -> str:
    if not lines:
        return paragraph("No technique was compared with a baseline.")
    shown, more = lines[:MOST_SENTENCES], lines[MOST_SENTENCES:]
    further = details(f"{len(more)} further workloads", bullets(more))
    return f'<div class="headline">{bullets(shown)}</div>{further}'


def _headline(line: str, label: str) -> str:
    """A line as HTML; its place, before the colon, stands out."""
    place, _, said = line.partition(": ")
    where = f"{place}, {label}" if label else place
    return f"<strong>{escaped(where)}:</strong> {escaped(said)}"


def _of_run(run: RunContent, label: str) -> str:
    about = f"{label}: " if label else ""
    if not run.verdicts:
        return paragraph(f"{about}{NO_VERDICT}", kind="warning")
    lines = _attention(run)
    shown = table(
        f"{about}what needs attention",
        TITLES,
        (_cells(line, run.header) for line in lines[:MOST_LINES]),
        numbers=NUMBERS,
    )
    left = len(lines) - MOST_LINES
    more = (
        paragraph(f"{left} further lines are not shown; choose a verdict in the measurements below.")
        if left > 0
        else ""
    )
    return (shown if lines else _quiet(run, about)) + more + _elsewhere(run)


def _quiet(run: RunContent, about: str) -> str:
    """That no verdict needs attention; good only if the exit code says so, too."""
    if run.code == EXIT_PASS and not run.problem:
        return paragraph(f"{about}nothing regressed and nothing needs attention.", kind="good")
    return paragraph(f"{about}no verdict needs attention.")


def _elsewhere(run: RunContent) -> str:
    """What cannot run here, one line for each reason."""
    causes: dict[str, list[str]] = {}
    for verdict in run.verdicts:
        if verdict.kind is VerdictKind.UNAVAILABLE:
            causes.setdefault(verdict.reason or "no reason given", []).append(_name(verdict.cell))
    lines = [f"{escaped(_shortened(reason))}: {_names(dict.fromkeys(names))}" for reason, names in causes.items()]
    return details(f"{sum(map(len, causes.values()))} groups of metrics are unavailable here", bullets(lines))


# -- lines ------------------------------------------------------------------------------------------------------------


def _attention(run: RunContent) -> list[list[Verdict]]:
    """Verdicts that need attention, worst first: regressions one by one, others together with those of one cause."""
    causes: dict[object, list[Verdict]] = {}
    for verdict in sorted((verdict for verdict in run.verdicts if verdict.kind in ATTENTION), key=_severity):
        causes.setdefault(_cause(verdict), []).append(verdict)
    return list(causes.values())


def _cause(verdict: Verdict) -> object:
    if verdict.kind is VerdictKind.REGRESSED:
        return id(verdict)
    return verdict.kind, verdict.code, PLACE.sub("", verdict.reason)


def _severity(verdict: Verdict) -> tuple[int, float]:
    """Regressions first: an error is mostly one cause of many cells, and a reader asks first what got worse."""
    place = -1 if verdict.kind is VerdictKind.REGRESSED else SEVERITY.index(verdict.kind)
    return place, -(_relative_loss(verdict) or 0.0)


def _cells(lines: Sequence[Verdict], header: RunHeader) -> list[str]:
    first, quick = lines[0], header.profile == "quick"
    measured, stored = (first.measurement, first.expectation) if len(lines) == 1 else (None, None)
    return [
        _names(dict.fromkeys(_name(verdict.cell) for verdict in lines)),
        f'<span class="kind {first.kind}">{escaped(first.kind)}</span>',
        _names(dict.fromkeys(verdict.metric or verdict.group for verdict in lines)),
        "-" if stored is None else escaped(f"{number(stored.value)}{unit_of(stored.unit)}"),
        "-" if measured is None else escaped(_measured(measured)),
        escaped(loss(measured, stored)),
        "-" if stored is None else escaped(bound(measured, stored)),
        f"{escaped(_reason(lines))}<br>{code(command(first.cell, first.sweep, quick=quick))}",
    ]


def _reason(lines: Sequence[Verdict]) -> str:
    """The reason of a verdict; that of several without the place at which they differ."""
    reason = lines[0].reason
    return _shortened(reason if len(lines) == 1 else PLACE.sub("", reason))


def _measured(measured: Measurement) -> str:
    ends = (
        "" if measured.low is None or measured.high is None else f" [{number(measured.low)}, {number(measured.high)}]"
    )
    return f"{number(measured.value)}{ends}{unit_of(measured.unit)}"


def loss(measured: Measurement | None, stored: Expectation | None) -> str:
    """What is lost against the stored value: points of a share, else percent of it; a gain has a minus."""
    if measured is None or stored is None:
        return "-"
    lost = stored.value - measured.value if stored.better == "higher" else measured.value - stored.value
    if measured.share or stored.metric in SHARES:
        return f"{100 * lost:.2f} points"
    return f"{100 * lost / abs(stored.value):.1f} %" if stored.value else f"{number(lost)}{unit_of(stored.unit)}"


def _relative_loss(verdict: Verdict) -> float | None:
    measured, stored = verdict.measurement, verdict.expectation
    if measured is None or stored is None or not stored.value:
        return None
    change = (measured.value - stored.value) / abs(stored.value)
    return -change if stored.better == "higher" else change


def command(cell: Cell, sweep: Iterable[str] = (), *, quick: bool = False) -> str:
    """The command that measures a cell, or a sweep's, again."""
    techniques = [argument for name in tuple(sweep) or (cell.technique,) for argument in ("--technique", name)]
    return shlex.join(
        ["suite", "bench", "--workload", cell.workload, *techniques, "--device", cell.device] + ["--quick"] * quick
    )


def _name(cell: Cell) -> str:
    return f"{cell.workload} {cell.technique} {cell.device}"


def _names(names: Iterable[str]) -> str:
    """A few names, the others on demand."""
    given = list(names)
    return ", ".join(map(code, given[:FEW])) + _rest(given[FEW:])


def _rest(names: Sequence[str]) -> str:
    if not names:
        return ""
    left = [f"{len(names) - MOST_LINES} further names are not shown"] if len(names) > MOST_LINES else []
    return details(f"and {len(names)} more", bullets([*map(code, names[:MOST_LINES]), *left]))


def _shortened(reason: str) -> str:
    return reason if len(reason) <= LONGEST_REASON else f"...{reason[-LONGEST_REASON:]}"
