"""HTML of texts from elsewhere: escaped, on one line, without characters that change how others are read."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence

from suite.report.foreign import printable


def escaped(text: str) -> str:
    """A text as HTML, within an element or a quoted attribute."""
    return html.escape(printable(text))


def code(text: str) -> str:
    """A name or a command."""
    return f"<code>{escaped(text)}</code>"


def paragraph(text: str, *, kind: str = "") -> str:
    """A paragraph of plain text."""
    return f"<p{_class(kind)}>{escaped(text)}</p>"


def bullets(items: Iterable[str]) -> str:
    """A list of finished HTML; nothing for no items."""
    lines = "".join(f"<li>{item}</li>" for item in items)
    return f"<ul>{lines}</ul>" if lines else ""


def details(summary: str, content: str) -> str:
    """What is shown on demand: ``content`` is finished HTML."""
    return f"<details><summary>{escaped(summary)}</summary>{content}</details>" if content else ""


def table(caption: str, titles: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: frozenset[int]) -> str:
    """A table of finished HTML cells, which can be scrolled by keyboard; the first cell of a row is its head.

    ``numbers`` are the places of the columns that stand to the right.
    """
    label = escaped(caption)
    head = "".join(
        f'<th scope="col"{_class("n" if k in numbers else "")}>{escaped(t)}</th>' for k, t in enumerate(titles)
    )
    body = "".join(_row(row, numbers) for row in rows)
    return (
        f'<div class="scroll" role="region" tabindex="0" aria-label="{label}"><table><caption>{label}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _row(row: Sequence[str], numbers: frozenset[int]) -> str:
    first, *others = row
    cells = "".join(f"<td{_class('n' if k in numbers else '')}>{cell}</td>" for k, cell in enumerate(others, 1))
    return f'<tr><th scope="row">{first}</th>{cells}</tr>'


def _class(kind: str) -> str:
    return f' class="{kind}"' if kind else ""
