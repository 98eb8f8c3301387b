"""Records as lines of JSON, each with its ``type``: what `encode` writes, `decode` reads and checks.

`decode_brief` reads a verdict without the measurement and the expectation that it repeats: tables need neither, and
they are two thirds of a file.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import date
from functools import lru_cache
from typing import Any, Union, cast

import msgspec
import msgspec.structs

from suite.core.errors import ResultsError
from suite.core.records import (
    Better,
    Cell,
    CellFailure,
    Duration,
    Group,
    GroupEnd,
    Measurement,
    Reason,
    RunEnd,
    RunHeader,
    ShapeExpectation,
    Tier,
    Verdict,
    VerdictKind,
)

NAME = re.compile(r"[A-Za-z0-9._-]+")
WORKLOAD_NAME = re.compile(r"[^:/\\\x00-\x1f\x7f]+")

Record = RunHeader | Measurement | CellFailure | Verdict | Duration | GroupEnd | RunEnd
TYPES: dict[str, type[Record]] = {
    "header": RunHeader,
    "measurement": Measurement,
    "failure": CellFailure,
    "verdict": Verdict,
    "duration": Duration,
    "group_end": GroupEnd,
    "run_end": RunEnd,
}
FIELDS = {kind: frozenset(field.name for field in fields(kind)) for kind in TYPES.values()}


class _Skipped(msgspec.Struct, gc=False):
    """An object of any fields, none of which is kept."""


class BriefVerdict(
    msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="verdict"
):
    """A `Verdict` as tables need it; the fields have the same names and meanings."""

    kind: VerdictKind
    cell: Cell
    metric: str
    group: Group
    reason: str = ""
    measurement: _Skipped | None = None
    expectation: _Skipped | None = None
    stale: bool = False
    detectable: float | None = None
    shape: ShapeExpectation | None = None
    sweep: tuple[str, ...] = ()
    code: Reason | None = None
    threshold: float | None = None


class BriefCell(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """A `Cell` whose hash takes no time in Python."""

    workload: str
    technique: str
    device: str
    ranks: int = 1

    def whole(self) -> Cell:
        """The same as a `Cell`."""
        return Cell(workload=self.workload, technique=self.technique, device=self.device, ranks=self.ranks)


class _MeasurementLine(
    msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="measurement", gc=False
):
    """What a line says of a measurement, but for its cell and its counted work."""

    metric: str
    value: float
    unit: str
    better: Better
    tier: Tier
    group: Group
    low: float | None = None
    high: float | None = None
    confidence: float | None = None
    n: int = 1
    seeds: tuple[int, ...] = ()
    processes: int = 1
    noise: float | None = None
    control: str | None = None
    samples: str | None = None
    suspect: str | None = None
    conditions: dict[str, int | str] = {}
    by_seed: tuple[float, ...] = ()
    margin: float | None = None
    reused: bool = False
    null: float | None = None
    share: bool = False
    same_work: bool = False
    note: str | None = None


class BriefMeasurement(_MeasurementLine, kw_only=True, frozen=True):
    """A `Measurement` as tables read it: the same fields, decoded and checked in a third of the time."""

    cell: Cell
    fingerprint: dict[str, int] = {}
    lines: dict[str, str] = {}


class CountedMeasurement(_MeasurementLine, kw_only=True, frozen=True):
    """A `Measurement` as it is counted by the million: with a `BriefCell`, and without its counted work."""

    cell: BriefCell
    fingerprint: _Skipped | None = None
    lines: _Skipped | None = None


Row = tuple[CountedMeasurement, bytes]
"""A measurement as it is counted, and its line, from which `decode` makes the whole one."""
BriefRecord = RunHeader | Measurement | CellFailure | BriefVerdict | Duration | GroupEnd | RunEnd
Other = RunHeader | CellFailure | Duration | GroupEnd | RunEnd
"""Records that are short already."""
BriefLine = RunHeader | CountedMeasurement | CellFailure | BriefVerdict | Duration | GroupEnd | RunEnd
"""What `decode_line` makes of a line."""
Judged = Verdict | BriefVerdict
"""A verdict, whole or brief."""


def encode(record: Record) -> str:
    """One line of JSON, without its end. Raises `ResultsError` for NaN and infinity, which JSON does not have."""
    name = next(name for name, kind in TYPES.items() if isinstance(record, kind))
    about = f"{name} {getattr(record, 'cell', '')} {getattr(record, 'metric', '')}".rstrip()
    return json.dumps({"type": name, **_plain(record, about)}, allow_nan=False)


def decode(line: str | bytes) -> Record:
    """The record of one line. Raises `ValueError` or `TypeError` for anything that `encode` does not write."""
    try:
        envelope = _ENVELOPES.decode(line)
    except msgspec.DecodeError as error:
        raise _problem(line) from error
    record: Record = _DECODERS[type(envelope)].decode(line)
    _check_names(record)
    return record


MEASUREMENTS = (Measurement, BriefMeasurement)
"""A measurement, whole or brief."""


def decode_brief(line: bytes) -> BriefRecord:
    """As `decode`, but a verdict is a `BriefVerdict`, and a measurement may be a `BriefMeasurement`."""
    if line.startswith(_VERDICT):
        return _brief(line)
    if line.startswith(_MEASUREMENT):
        return _brief_measurement(line)
    found = decode(line)
    return _brief(line) if isinstance(found, Verdict) else found


def _brief_measurement(line: bytes) -> Measurement:
    """Raises what `decode` raises, which words it better."""
    try:
        found = _MEASURED.decode(line)
    except msgspec.DecodeError:
        return cast("Measurement", decode(line))
    _check_workload(found.cell.workload)
    return cast("Measurement", found)  # it has all fields


def replaced(found: Measurement, **changes: Any) -> Measurement:
    """A measurement, whole or brief, with other values."""
    if isinstance(found, BriefMeasurement):
        return cast("Measurement", msgspec.structs.replace(found, **changes))
    return replace(found, **changes)


def decode_row(line: bytes) -> Row | Other | None:
    """As `decode`, but a measurement is a `Row`, and ``None`` stands for a verdict: who judges anew asks for none."""
    if line.startswith(_VERDICT):
        return None
    if not line.startswith(_MEASUREMENT):
        found = decode(line)
        if not isinstance(found, Measurement):  # as `encode` does not begin its line
            return None if isinstance(found, Verdict) else found
    try:
        measured = _COUNTED.decode(line)
    except msgspec.DecodeError as error:
        raise _problem(line) from error
    _check_workload(measured.cell.workload)
    return measured, line


def decode_line(line: bytes) -> BriefLine:
    """As `decode_brief`, but a measurement is a `CountedMeasurement`."""
    found = decode_row(line)
    return _brief(line) if found is None else found[0] if isinstance(found, tuple) else found


def measurement(line: bytes) -> Measurement:
    """The whole measurement of a `Row`'s line."""
    found: Measurement = _MEASUREMENTS.decode(line)
    return found


def _brief(line: bytes) -> BriefVerdict:
    verdict = _BRIEF.decode(line)
    _check_workload(verdict.cell.workload)
    return verdict


def _envelope(name: str, kind: type[Record]) -> type[msgspec.Struct]:
    """The fields of a record, unread: msgspec ignores unknown fields of a dataclass, and refuses those of a struct."""
    unread = [(field, msgspec.Raw, msgspec.Raw()) for field in FIELDS[kind]]
    return msgspec.defstruct(kind.__name__, unread, tag=name, forbid_unknown_fields=True, gc=False)


_KINDS = {_envelope(name, kind): kind for name, kind in TYPES.items()}
_ENVELOPES: msgspec.json.Decoder[msgspec.Struct] = msgspec.json.Decoder(Union[tuple(_KINDS)])  # noqa: UP007  # computed
_DECODERS = {envelope: msgspec.json.Decoder(kind) for envelope, kind in _KINDS.items()}
_BRIEF = msgspec.json.Decoder(BriefVerdict)
_MEASUREMENTS = msgspec.json.Decoder(Measurement)
_MEASURED = msgspec.json.Decoder(BriefMeasurement)
_COUNTED = msgspec.json.Decoder(CountedMeasurement)
_VERDICT, _MEASUREMENT = b'{"type": "verdict",', b'{"type": "measurement",'  # as `encode` begins the line


def _problem(line: str | bytes) -> ValueError:
    """What is wrong with a line that is no known record; raises what msgspec says of what is no JSON."""
    plain = msgspec.json.decode(line)
    kind = TYPES.get(str(plain.get("type"))) if isinstance(plain, dict) else None
    if kind is None:
        return ValueError(f"no object with a type among {', '.join(TYPES)}")
    unknown = ", ".join(map(repr, sorted(plain.keys() - FIELDS[kind] - {"type"})))
    return ValueError(f"a {kind.__name__} of this version has no {unknown}; a newer version wrote it")


def _check_names(record: Record) -> None:
    """Raise `ValueError` for names of folders and files that could name something elsewhere."""
    if isinstance(record, RunHeader):
        where = record.where
        names = [record.run, where.machine, where.family, where.device.replace(":", "-")]
        for name in names:
            if not NAME.fullmatch(name) or set(name) == {"."}:
                raise ValueError(f"{name!r} is no name: letters, digits, '.', '_' and '-'")
    elif not isinstance(record, RunEnd):
        _check_workload(record.cell.workload)  # a user's own choice, and a part of file names


@lru_cache(maxsize=4096)  # a run has few workloads and many lines
def _check_workload(name: str) -> None:
    if not WORKLOAD_NAME.fullmatch(name) or set(name) == {"."}:
        raise ValueError(f"{name!r} is no name of a workload: it holds a path or a control character")


def _plain(value: Any, about: str) -> Any:
    if hasattr(value, "item"):  # a number of numpy or torch
        value = value.item()
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name), f"{about}.{field.name}") for field in fields(value)}
    if isinstance(value, Mapping):
        return {key: _plain(item, about) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item, about) for item in value]
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        raise ResultsError(f"cannot keep {about} = {value}: only finite numbers; report a failure of the cell instead")
    return value
