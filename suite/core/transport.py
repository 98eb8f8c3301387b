"""Records between processes of ours: a line of JSON, checked against the record's class when it is read.

Python's JSON, not the strict one: it has infinity, which a budget may hold. A field that is added to a record travels
without another line of code. Another transport (another machine, say) sends the same lines.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from suite.core.errors import SuiteError

T = TypeVar("T")


class MessageError(SuiteError):
    """What another process said is not the record that was expected."""


def to_line(record: object) -> str:
    """A request or an answer as one line, without its end."""
    return json.dumps(msgspec.to_builtins(record, enc_hook=_plain))


def from_line(text: str | bytes, kind: type[T]) -> T:
    """Read one of that kind. Raises `MessageError` for anything else."""
    try:
        plain = json.loads(text)
    except ValueError as error:
        raise MessageError(f"no {kind.__name__}: {error}") from error
    return checked(plain, kind)


def checked(plain: Mapping[str, Any], kind: type[T]) -> T:
    """A record from its fields by name: none of them lacks, is of another type or is unknown to it."""
    try:
        found = msgspec.convert(plain, kind)
    except msgspec.ValidationError as error:
        raise MessageError(f"no {kind.__name__}: {error}") from error
    if lost := plain.keys() - msgspec.to_builtins(found, enc_hook=_plain).keys():
        raise MessageError(f"no {kind.__name__}: it has no field {', '.join(sorted(lost))}")
    return found


def _plain(value: Any) -> Any:
    """A number of NumPy or torch as Python's."""
    if hasattr(value, "item"):
        return value.item()
    raise TypeError(f"{value!r} cannot be sent to another process")
