"""Which claim holds on which machine, as the caller found it: this room does not know the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from suite.report.page.markup import code, escaped, paragraph, table

ABSENT = "No claims were judged here. `suite claims run` judges them; `suite report --page` then shows them."


@dataclass(frozen=True, kw_only=True)
class ClaimsTable:
    """Rows of texts: name and statement of a claim, its standing on each of the ``machines``, whether it transfers."""

    machines: Sequence[str]
    rows: Sequence[Sequence[str]]


def claims_section(claims: ClaimsTable | None) -> str:
    """The table claim x machine as HTML; how to get one where there is none."""
    if claims is None or not claims.rows:
        return paragraph(ABSENT)
    rows = ([code(name), *(escaped(text) for text in texts)] for name, *texts in claims.rows)
    titles = ("claim", "statement", *claims.machines, "transfers")
    return table("claim by machine", titles, rows, numbers=frozenset())
