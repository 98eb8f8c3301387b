"""Typed columns as one text that a script unpacks: each column in its smallest type, together compressed, in base64.

The layout, little-endian: the length of the head in bytes (uint32), the head (JSON, padded with spaces), then the
columns, each at a multiple of 8 bytes. Numbers are float32, which keeps 7 digits, counts of which all digits are shown
float64; a missing one is NaN. Texts are codes into a list that the head holds, code 0 for a missing text. Control
characters are shown as escapes.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from suite.report.foreign import printable

if TYPE_CHECKING:
    import numpy.typing as npt

Show = Literal["text", "number", "percent", "times", "size", "whole", "score", "difference", "value"]
"""How a value is written: ``score`` and ``difference`` follow the row's unit, ``value`` its unit or ``%``."""
LEVEL = 6  # of gzip: higher ones take twice the time for 2 %
LENGTH = 4  # bytes of the head's length
ALIGNMENT = 8  # bytes; typed arrays begin at multiples of their size


@dataclass(frozen=True, kw_only=True)
class PageColumn:
    """One column of a table on the page: its ``values`` [n], texts or numbers, ``None`` where missing.

    ``ends`` names the columns with the ends of its interval, ``unit`` the column with the rows' units. ``default`` says
    that it is shown without asking, ``choice`` that rows can be selected by it.
    """

    name: str
    title: str
    values: Sequence[Any]
    show: Show = "text"
    ends: tuple[str, str] | None = None
    unit: str | None = None
    default: bool = False
    choice: bool = False
    hidden: bool = False
    """Whether it only serves other columns."""


def packed(columns: Iterable[PageColumn]) -> str:
    """The columns, all of one length, as base64 of their compressed layout."""
    described, arrays, offset = [], [], 0
    for column in columns:
        array, texts = _typed(column)
        described.append(_described(column, kind=array.dtype.str[1:], offset=offset, texts=texts))
        arrays.append(_padded(array.tobytes()))
        offset += len(arrays[-1])
    rows = len(array) if described else 0
    head = _padded(json.dumps({"rows": rows, "columns": described}).encode(), b" ", before=LENGTH)
    return compressed(len(head).to_bytes(LENGTH, "little") + head + b"".join(arrays))


def compressed(content: bytes) -> str:
    """Base64 of the gzip form; equal contents give equal texts."""
    return base64.b64encode(gzip.compress(content, LEVEL, mtime=0)).decode("ascii")


def as_json(value: object) -> str:
    """JSON that can stand inside a script element: nothing in it ends the element or begins a comment."""
    return json.dumps(value, separators=(",", ":")).replace("<", "\\u003c").replace("&", "\\u0026")


def _described(column: PageColumn, *, kind: str, offset: int, texts: list[str] | None) -> dict[str, Any]:
    fields = ("name", "title", "show", "ends", "unit", "default", "choice", "hidden")
    set_fields = {name: value for name in fields if (value := getattr(column, name))}
    return {**set_fields, "kind": kind, "offset": offset, **({} if texts is None else {"texts": texts})}


def _typed(column: PageColumn) -> tuple[npt.NDArray[Any], list[str] | None]:
    """Numbers as they are stored, or the codes of texts and the texts."""
    import numpy as np  # heavy

    if column.show != "text":
        kind = "<f8" if column.show == "whole" else "<f4"
        return np.array([np.nan if value is None else value for value in column.values], dtype=kind), None
    codes: dict[str | None, int] = {None: 0}
    coded = [codes.setdefault(value, len(codes)) for value in column.values]
    smallest = next(kind for kind, most in (("u1", 1 << 8), ("<u2", 1 << 16), ("<u4", 1 << 32)) if len(codes) <= most)
    return np.array(coded, dtype=smallest), ["", *(printable(text) for text in codes if text is not None)]


def _padded(content: bytes, fill: bytes = b"\0", *, before: int = 0) -> bytes:
    """The content, so long that what follows begins aligned; ``before`` bytes precede it."""
    return content + fill * (-(before + len(content)) % ALIGNMENT)
