"""The judged ledger as a table for a terminal, as Markdown and as CSV."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Sequence

from suite.claims.claim import Standing
from suite.claims.judging import Finding
from suite.core.units.values import number
from suite.report.foreign import printable
from suite.report.pipe_table import pipe_table

TITLES = ("claim", "standing", "expected", "source", "statement", "figure", "said", "degree", "why")
ORDER = (
    *(Standing.TOO_GOOD, Standing.AMENDED, Standing.REFUTED, Standing.PARTLY, Standing.UNDECIDED),
    *(Standing.HOLDS, Standing.NOT_TESTABLE, Standing.ADVICE),
)


def by_standing(findings: Iterable[Finding]) -> list[Finding]:
    """What changed first, then by standing; in the ledger's order among equals."""
    return sorted(findings, key=lambda found: (not found.changed, ORDER.index(found.standing)))


def counts(findings: Iterable[Finding]) -> str:
    """``31 refuted, 24 hold, 9 undecided``."""
    found = Counter(one.standing for one in findings)
    return ", ".join(f"{found[standing]} {standing}" for standing in ORDER if found[standing]) or "no claims"


def row(found: Finding) -> list[str]:
    """The cells of one claim's row."""
    claim = found.claim
    return [
        claim.name,
        _standing(found),
        str(found.expected or ""),
        claim.source,
        claim.statement,
        "" if found.figure is None else number(found.figure),
        "" if claim.said is None else f"{number(claim.said)}{' (from memory)' if claim.figure_unverified else ''}",
        "" if found.degree is None else f"{found.degree:.3g} %",
        found.reason,
    ]


def _standing(found: Finding) -> str:
    kinds = (Standing.REFUTED, Standing.PARTLY)
    return f"{found.standing} ({found.claim.why})" if found.claim.why and found.standing in kinds else found.standing


def terminal(findings: Sequence[Finding], width: int) -> list[str]:
    """One line for each claim, cut at the terminal's ``width``."""
    found = by_standing(findings)
    names = max((len(one.claim.name) for one in found), default=0)
    return [
        f"{'!' if one.changed else ' '} {printable(one.claim.name):<{names}}  {one.standing:<17}  {_said(one)}"[:width]
        for one in found
    ]


def _said(found: Finding) -> str:
    """The statement; with the reason where there is one."""
    reason = found.reason if found.standing is not Standing.ADVICE else ""
    return printable(f"{found.claim.statement} [{reason}]" if reason else found.claim.statement)


def markdown(findings: Sequence[Finding], heading: str) -> str:
    """A page: a line of counts and the table."""
    table = pipe_table(TITLES, [row(found) for found in by_standing(findings)])
    return f"# Claims\n\n{heading}\n\n{counts(findings)}\n\n{table}\n"


def comma_separated(findings: Sequence[Finding]) -> str:
    """One row for each claim."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(TITLES)
    writer.writerows(row(found) for found in findings)
    return text.getvalue()


def page(found: Finding) -> list[str]:
    """All that is known of one claim, line by line."""
    claim = found.claim
    lines = [f"{claim.name}: {claim.statement}", f"  source: {claim.source}"]
    lines += [f"  quote: {claim.quote}"] if claim.quote else []
    for part in claim.parts:
        own = next((one for one in found.parts if one.name == part), None)
        said = "" if own is None else f"  -> {own.truth.name.lower()}" + (f", risk {own.risk:.2g}" if own.risk else "")
        lines.append(f"  {part + ': ' if part else 'holds if '}{claim.parts[part].text}{said}")
    lines.append(f"  standing: {_standing(found)}{', ' + found.reason if found.reason else ''}")
    if found.figure is not None:
        said = "" if claim.said is None else f", the source says {number(claim.said)}"
        lines.append(f"  figure: {found.figure:.12g}{said}")
    lines += [f"  rests on: {one.cell} {one.metric} = {number(one.value)}" for one in found.used]
    lines += [f"  note: {claim.note}"] if claim.note else []
    lines += (
        ["  counter-example:", *(f"    {line}" for line in claim.counterexample.splitlines())]
        if (claim.counterexample)
        else []
    )
    lines.append(f"  entry: {claim.path}:{claim.line}")
    return [" " * (len(line) - len(line.lstrip())) + printable(line.strip()) for line in lines]
