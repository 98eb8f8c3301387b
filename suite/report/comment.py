"""A comment for a pull request: the headline, the rows that changed, all other rows behind a click.

Every text from elsewhere (names, reasons) stands in a code span, where nothing is HTML, a link or a mention.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from suite.core.exit_codes import EXIT_FAILED, EXIT_UNUSABLE
from suite.core.records import Verdict, VerdictKind
from suite.core.units.values import number, unit_of
from suite.report.foreign import code, printable
from suite.report.frames import SEVERITY
from suite.report.summary import ATTENTION, bound, name_of

LIMIT = 65_000  # bytes; GitHub refuses a comment above 65,536 characters
LONGEST_HEAD = LIMIT // 2  # bytes of the lines on runs
LONGEST = 240  # characters of a name or a reason
FAILED = frozenset({VerdictKind.REGRESSED, VerdictKind.ERROR, VerdictKind.MISSING, VerdictKind.XPASS})
FAILING_CODES = frozenset({EXIT_FAILED, EXIT_UNUSABLE})
TITLES = ("verdict", "cell", "metric", "value", "bound", "why")
LINES_LEFT_OUT = "{} more lines on runs do not fit into a comment; `suite report` shows them."
LEFT_OUT = "{} more rows do not fit into a comment; the run's folder has them."


@dataclass(frozen=True, kw_only=True)
class CommentPart:
    """What one run found: ``about`` names it, ``problem`` is what makes it unusable or incomplete as a whole.

    ``code`` is the run's exit code, which no status is better than; ``None`` if the verdicts alone decide.
    ``sentences`` say in words which technique is best; they are shown as they are, as code.
    """

    about: str
    verdicts: Sequence[Verdict]
    sentences: Sequence[str] = ()
    problem: str = ""
    code: int | None = None

    @property
    def decided(self) -> bool:
        """Whether any verdict compared something, and nothing makes the run unusable."""
        undecided = {VerdictKind.UNVERIFIED, VerdictKind.UNAVAILABLE}
        return not self.problem and any(verdict.kind not in undecided for verdict in self.verdicts)


def comment(parts: Sequence[CommentPart], *, subject: str) -> str:
    """The comment on one run or several; ``subject`` is the command: ``bench``, ``compare`` or ``claims``.

    Its first line is a mark by which a bot finds the comment again. At most `LIMIT` bytes: rows are left out, those
    that changed last, and their number is said.
    """
    head = [f"<!-- suite {subject} -->", f"### suite {subject}: {outcome(parts)}", "", *_bounded_about(parts)]
    known = [(verdict, place) for place, part in enumerate(parts, 1) for verdict in part.verdicts]
    known.sort(key=lambda one: SEVERITY.index(one[0].kind))
    rows = [(verdict, _row(verdict, place if len(parts) > 1 else None)) for verdict, place in known]
    changed = [row for verdict, row in rows if verdict.kind in ATTENTION]
    rest = [row for verdict, row in rows if verdict.kind not in ATTENTION]
    return _fitted(head, changed, rest)


def outcome(parts: Sequence[CommentPart]) -> str:
    """``failed: 1 regressed, 41 pass``; what cannot be told is never called a pass."""
    kinds = kinds_of(parts)
    told = ", ".join(f"{kinds[kind]} {kind}" for kind in SEVERITY if kinds[kind]) or "nothing was judged"
    return f"{status(parts)}: {told}"


def kinds_of(parts: Iterable[CommentPart]) -> Counter[VerdictKind]:
    """How many verdicts of each kind all parts have together."""
    return Counter(verdict.kind for part in parts for verdict in part.verdicts)


def status(parts: Sequence[CommentPart]) -> Literal["failed", "not decided", "to look at", "passed"]:
    """The state of all parts together: never better than the worst exit code, and a part without verdicts is open."""
    kinds = kinds_of(parts)
    if FAILED & kinds.keys() or any(part.code in FAILING_CODES for part in parts):
        return "failed"
    if not parts or not all(part.decided for part in parts):
        return "not decided"
    return "to look at" if ATTENTION & kinds.keys() else "passed"


def _bounded_about(parts: Sequence[CommentPart]) -> list[str]:
    """The lines on each run; if they are too many, as many runs as fit without their sentences."""
    lines = list(_about(parts))
    if _size(lines) <= LONGEST_HEAD:
        return lines
    shown = _first(list(_about([replace(part, sentences=()) for part in parts]))[:-1], LONGEST_HEAD)
    return [*shown, "", LINES_LEFT_OUT.format(len(lines) - 1 - len(shown)), ""]


def _about(parts: Sequence[CommentPart]) -> Iterable[str]:
    for place, part in enumerate(parts, 1):
        yield f"{place}. {_code(part.about)}{f': **{_code(part.problem)}**' if part.problem else ''}"
        yield from (f"   - {_code(sentence, longest=4 * LONGEST)}" for sentence in part.sentences)
    yield ""


def _row(verdict: Verdict, run: int | None) -> str:
    """The row of a verdict; ``run`` is the place of its run in the list above, where there are several."""
    found, entry = verdict.measurement, verdict.expectation
    name = _cell(name_of(verdict.cell)) + ("" if run is None else f" in {run}.")
    stale = " (stale)" if verdict.stale else ""
    cells = [
        (verdict.kind.upper() if verdict.kind in FAILED else str(verdict.kind)) + stale, name,
        _cell(verdict.metric or verdict.group), _value(verdict), "" if entry is None else _cell(bound(found, entry)),
        _cell(verdict.reason),
    ]  # fmt: skip
    return f"| {' | '.join(cells)} |"


def _value(verdict: Verdict) -> str:
    found = verdict.measurement
    if found is None:
        return ""
    entry = verdict.expectation
    bounds = [] if entry is None else [entry.low, entry.high]
    text = number(found.value, bounds=bounds)
    if found.low is not None and found.high is not None:
        text += f" [{number(found.low, bounds=bounds)}, {number(found.high, bounds=bounds)}]"
    return f"{text}{unit_of(found.unit)}"


def _cell(text: str) -> str:
    """A code span that cannot end a table's cell; empty for an empty text."""
    return _code(text).replace("|", r"\|") if text.strip() else ""


def _code(text: str, longest: int = LONGEST) -> str:
    """A code span, shortened in its middle."""
    line = printable(text).strip()
    if len(line) > longest:
        line = f"{line[: longest // 2]} ... {line[-longest // 2 :]}"
    return code(line)


def _fitted(head: Sequence[str], changed: Sequence[str], rest: Sequence[str]) -> str:
    room = LIMIT - _size([*head, *_table([]), *_folded([], len(rest)), LEFT_OUT])
    shown = _first(changed, room)
    folded = _first(rest, room - _size(shown)) if len(shown) == len(changed) else []
    lines = [*head, *(_table(shown) if shown else []), *(_folded(folded, len(rest)) if folded else [])]
    left = len(changed) + len(rest) - len(shown) - len(folded)
    return "\n".join([*lines, *([LEFT_OUT.format(left)] if left else [])]).rstrip() + "\n"


def _first(rows: Sequence[str], room: int) -> list[str]:
    """The first rows that fit."""
    taken: list[str] = []
    for row in rows:
        room -= _size([row])
        if room < 0:
            break
        taken.append(row)
    return taken


def _size(lines: Iterable[str]) -> int:
    return sum(len(line.encode()) + 1 for line in lines)


def _table(rows: Sequence[str]) -> list[str]:
    return [f"| {' | '.join(TITLES)} |", f"|{':--|' * len(TITLES)}", *rows, ""]


def _folded(rows: Sequence[str], count: int) -> list[str]:
    summary = f"<details><summary>{count} without a change</summary>"
    return [summary, "", *_table(rows), "</details>", ""]
