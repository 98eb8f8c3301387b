"""A run as continuous integration shows it: a step summary in Markdown, annotations on bounds, properties of tests.

Nothing here decides anything; each line says what failed, by how much, against what, and how sure that is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from suite.records import Verdict, VerdictKind
from suite.report.frame import SEVERITY
from suite.report.summary import ATTENTION, counts
from suite.report.values import number, unit_of

GITHUB, SUMMARY_FILE, ROOT = "GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "GITHUB_WORKSPACE"
LEVELS = {True: "error", False: "warning"}
MOST_ANNOTATIONS = 10  # of a kind and step; GitHub shows no more
LONGEST_TABLE = 50
DIGITS = 6


def step_summary(verdicts: Sequence[Verdict], *, code: int, fails: Callable[[Verdict], bool], tables: str = "") -> str:
    """The Markdown of a run that ends with ``code``: what needs attention, worst first, then its ``tables`` folded in.

    ``fails`` says of a verdict whether it fails the run.
    """
    found = sorted((v for v in verdicts if v.kind in ATTENTION), key=lambda v: (not fails(v), SEVERITY.index(v.kind)))
    parts = [f"## {_outcome(code)}", f"{counts(verdicts)}."]
    if found:
        parts.append(_table(found[:LONGEST_TABLE], fails))
    if len(found) > LONGEST_TABLE:
        parts.append(f"{len(found) - LONGEST_TABLE} more are in the report.")
    if tables:
        parts.append(f"<details><summary>Tables</summary>\n\n{tables.strip()}\n\n</details>")
    return "\n\n".join(parts) + "\n"


def annotated(verdicts: Iterable[Verdict], *, fails: Callable[[Verdict], bool], root: Path) -> list[str]:
    """GitHub's workflow commands, one for each verdict that needs attention; on the bound's line where there is one.

    Files are named from ``root``, the checkout. The worst come first, ten errors and ten warnings at most.
    """
    found = sorted((v for v in verdicts if v.kind in ATTENTION), key=lambda v: SEVERITY.index(v.kind))
    shown: Counter[str] = Counter()
    lines = []
    for verdict in found:
        level = LEVELS[fails(verdict)]
        shown[level] += 1
        if shown[level] <= MOST_ANNOTATIONS:
            lines.append(_annotation(level, verdict, root))
    return lines


def properties(verdicts: Iterable[Verdict]) -> list[tuple[str, str]]:
    """Name and value of what JUnit files keep of a test: each metric's figure, interval, bound and verdict."""
    return [pair for verdict in verdicts for pair in _properties(verdict)]


def tell(environ: Mapping[str, str], verdicts: Sequence[Verdict], *, code: int, fails: Callable[[Verdict], bool],
         tables: Path) -> list[str]:  # fmt: skip
    """Write the step summary where GitHub asks for one; returns the lines that annotate. Nothing runs elsewhere."""
    if environ.get(GITHUB) != "true":
        return []
    if environ.get(SUMMARY_FILE):
        text = tables.read_text("utf-8") if tables.exists() else ""
        with Path(environ[SUMMARY_FILE]).open("a", encoding="utf-8") as file:
            file.write(step_summary(verdicts, code=code, fails=fails, tables=text))
    return annotated(verdicts, fails=fails, root=Path(environ.get(ROOT, ".")))


def _outcome(code: int) -> str:
    known = {0: "The trade-offs hold", 1: "The gate failed", 10: "Not decided: too much is inconclusive"}
    return known.get(code, f"Nothing was gated (exit code {code})")


def _table(verdicts: Sequence[Verdict], fails: Callable[[Verdict], bool]) -> str:
    rows = [
        (
            f"**{v.kind}**" if fails(v) else str(v.kind), f"`{v.cell.workload} {v.cell.technique} {v.cell.device}`",
            v.metric or v.group, _figure(v), _bound(v), _change(v), _reason(v),
        )
        for v in verdicts
    ]  # fmt: skip
    head = ("verdict", "cell", "metric", "measured", "bound", "against stored", "why")
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(_cell(text) for text in line)} |" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.replace("|", r"\|").split())


def _figure(verdict: Verdict) -> str:
    found = verdict.measurement
    if found is None:
        return "-"
    text = number(found.value)
    if found.low is not None and found.high is not None:
        text += f" [{number(found.low)}, {number(found.high)}]"
    return text + unit_of(found.unit)


def _bound(verdict: Verdict) -> str:
    entry = verdict.expectation
    if entry is None:
        return "-"
    sides = ((">=", entry.low), ("<=", entry.high))
    return " and ".join(f"{sign} {number(end, digits=DIGITS)}" for sign, end in sides if end is not None)


def _change(verdict: Verdict) -> str:
    """By how much, of the stored value; and the least loss that would have been found."""
    entry, found = verdict.expectation, verdict.measurement
    if entry is None or found is None or not entry.value:
        return "-"
    change = f"{100 * (found.value / entry.value - 1):+.1f} %"
    return change if verdict.detectable is None else f"{change} (finds {100 * verdict.detectable:.1f} %)"


def _reason(verdict: Verdict) -> str:
    return " ".join(verdict.reason.split())[:300] or "-"


def _annotation(level: str, verdict: Verdict, root: Path) -> str:
    entry = verdict.expectation
    place = []
    if entry is not None and entry.path:
        place = [f"file={_escaped(_relative(entry.path, root), ':,')}", f"line={entry.line}"]
    title = f"{verdict.kind} {verdict.cell.technique} {verdict.metric or verdict.group}"
    place.append(f"title={_escaped(title, ':,')}")
    told = f"{verdict.cell}: {_figure(verdict)}, bound {_bound(verdict)}: {_reason(verdict)}"
    return f"::{level} {','.join(place)}::{_escaped(told)}"


def _relative(path: str, root: Path) -> str:
    absolute, base = Path(path).absolute(), root.absolute()
    return str(absolute.relative_to(base)) if absolute.is_relative_to(base) else path


def _escaped(text: str, more: str = "") -> str:
    """As workflow commands want it: their own signs as percent codes (actions/toolkit, command.ts)."""
    for sign in ("%", "\r", "\n", *more):
        text = text.replace(sign, f"%{ord(sign):02X}")
    return text


def _properties(verdict: Verdict) -> Iterable[tuple[str, str]]:
    name, entry, found = verdict.metric or verdict.group, verdict.expectation, verdict.measurement
    yield f"{name}.verdict", str(verdict.kind)
    figures = {} if found is None else {"value": found.value, "low": found.low, "high": found.high}
    bounds = {} if entry is None else {"bound_low": entry.low, "bound_high": entry.high}
    for key, figure in (figures | bounds).items():
        if figure is not None:
            yield f"{name}.{key}", repr(figure)
    if verdict.reason and verdict.kind is not VerdictKind.PASS:
        yield f"{name}.reason", " ".join(verdict.reason.split())
