"""Understand the text of an expectation file: one table per cell and metric, and where the figures come from."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from suite.core.errors import ExpectationFileError, UsageError, unknown
from suite.core.metrics import METRICS, metric
from suite.core.records import TIERS, Expectation, Metric, Origin, ShapeExpectation
from suite.core.toml_lines import Lines
from suite.core.toml_section import Section
from suite.gate import sound
from suite.gate.files import details, shape_entries
from suite.gate.files.toml import toml

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA = 1
SHAPE = "shape"  # what stands between technique and metric where a table is about a sweep
ORIGIN_KEYS = ("commit", "date", "versions", "machine", "threads", "data_digest")
FILE_ORIGIN_KEYS = (*ORIGIN_KEYS, "family")
MEASURED_KEYS = (
    *("value", "low", "high", "unit", "better", "tier", "seeds", "processes", "noise"),
    *("conditions", "by_seed", "seen", "fingerprint", "recorded", "retired"),  # a new measurement ends the retirement
)
ENTRY_KEYS = (*MEASURED_KEYS, "xfail", "only")


@dataclass(frozen=True, kw_only=True)
class ExpectationFile:
    """What one file holds; ``origin`` is the file's own, which entries may override.

    ``family`` is the hardware family of the machine that a machine's file belongs to.
    """

    origin: Origin
    entries: tuple[Expectation, ...]
    shapes: tuple[ShapeExpectation, ...] = ()
    family: str | None = None


def parse(text: str, path: Path) -> ExpectationFile:
    """The content of a file's ``text``; ``path`` says its level and workload, nothing is read."""
    text = text.replace("\r\n", "\n")
    data = toml(text, path)
    root = Section(data=data, keys=(), path=path, lines=Lines(text))
    _check_schema(root)
    section = root.section("origin")
    origin = _origin(section, Origin(), FILE_ORIGIN_KEYS)
    family = section.text("family") if section else None
    entries = _entries(root, origin)
    for entry in entries:
        _check_machine(entry, path, family)
    return ExpectationFile(origin=origin, entries=entries, shapes=tuple(_shapes(root)), family=family)


def _check_machine(entry: Expectation, path: Path, family: str | None) -> None:
    """A machine's file says its family; what another machine recorded gates nothing in it."""
    recorded = entry.origin.machine
    if family is not None and recorded not in (None, entry.level):
        raise ExpectationFileError(
            path, entry.line or None,
            f"was recorded on {recorded} and is in the folder of {entry.level}; move it to "
            f"{path.parent.with_name(str(recorded)) / path.name}, or record it on this machine",
        )  # fmt: skip


def _check_schema(root: Section) -> None:
    root.require("schema", f"schema = {SCHEMA} as the first line")
    schema = root.data["schema"]
    if type(schema) is not int or schema != SCHEMA:  # a bool equals 1 too
        raise root.fault(f"schema is {schema!r}, known is {SCHEMA}; use a version of the suite that reads it", "schema")


def _origin(section: Section | None, base: Origin, keys: Collection[str] = ORIGIN_KEYS) -> Origin:
    """``base`` with the fields that the table gives; a given ``versions`` replaces all of them."""
    if section is None:
        return base
    section.allow(keys)
    given: dict[str, Any] = {
        "commit": section.text("commit"),
        "date": section.day("date"),
        "versions": _versions(section),
        "machine": section.text("machine"),
        "threads": section.count("threads"),
        "data_digest": section.text("data_digest"),
    }
    return replace(base, **{key: value for key, value in given.items() if value is not None})


def _versions(section: Section) -> dict[str, str] | None:
    table = section.section("versions")
    if table is None:
        return None
    for key, value in table.data.items():
        if not isinstance(value, str):
            raise table.fault(f"the version of {key} must be a text, not {value!r}; put it in quotes", key)
    return dict(table.data)


def _entries(root: Section, origin: Origin) -> tuple[Expectation, ...]:
    found: list[Expectation] = []
    for technique, metrics in root.data.items():
        if technique in {"schema", "origin"}:
            continue
        if not isinstance(metrics, Mapping):
            raise root.fault(str(unknown("key", technique, ("schema", "origin"))), technique)
        found += _of_technique(root, technique, metrics, origin)
    return tuple(found)


def _of_technique(root: Section, technique: str, metrics: Mapping[str, Any], origin: Origin) -> tuple[Expectation, ...]:
    section = replace(root, data=metrics, keys=(technique,))
    hint = f'write entries as ["{technique}".accuracy], and where the file comes from as [origin]'
    if not metrics:
        raise section.fault(f"[{technique}] has no metric; {hint}")
    for name, table in metrics.items():
        if not isinstance(table, Mapping):
            raise section.fault(f"{name} = {table!r} belongs to no metric of {technique!r}; {hint}", name)
    return tuple(
        _entry(replace(root, data=table, keys=(technique, name)), origin)
        for name, table in metrics.items()
        if name != SHAPE
    )


def _shapes(root: Section) -> Iterator[ShapeExpectation]:
    """The tables ``["technique".shape.metric]``; that techniques hold tables is known by now."""
    for technique, metrics in root.data.items():
        if technique not in {"schema", "origin"} and SHAPE in metrics:
            yield from shape_entries.shapes(replace(root, data=metrics[SHAPE], keys=(technique, SHAPE)))


def _entry(section: Section, origin: Origin) -> Expectation:
    technique, name = section.keys
    section.allow(ENTRY_KEYS)
    known = _known(section, name)
    for key, example in {"value": "value = 1.0", "tier": f'tier = "{known.tier}"'}.items():
        section.require(key, example)
    _check_catalogue(section, known)
    section.choice("tier", TIERS)
    low, value, high = _bounds(section)
    entry = Expectation(
        workload=section.path.stem,
        technique=technique,
        metric=known.name,
        level=section.path.absolute().parent.name,
        value=value,
        low=low,
        high=high,
        unit=known.unit,
        better=known.better,
        tier=section.data["tier"],
        seeds=section.count("seeds"),
        processes=section.count("processes"),
        noise=details.noise(section),
        conditions=details.conditions(section.section("conditions")),
        by_seed=details.by_seed(section.section("by_seed")),
        seen=details.seen(section.section("seen")),
        fingerprint=details.fingerprint(section.section("fingerprint")),
        xfail=details.xfail(section.section("xfail")),
        only=details.only(section),
        retired=section.text("retired"),
        origin=_origin(section.section("recorded"), origin),
        path=str(section.path),
        line=section.lines.of(*section.keys) or 0,
    )
    _check_sound(section, entry)
    return entry


def _check_sound(section: Section, entry: Expectation) -> None:
    found = sound.fault(entry)
    if found:
        raise section.fault(found.problem, found.key if found.key in section.data else None)


def _known(section: Section, name: str) -> Metric:
    """The catalogue's metric; for a retired entry, which may outlive its metric, what the entry itself says."""
    if section.text("retired") and name not in METRICS:
        return _as_written(section, name)
    try:
        return metric(name)
    except UsageError as error:
        raise section.fault(str(error)) from error


def _as_written(section: Section, name: str) -> Metric:
    for key, example in {"unit": 'unit = "1"', "better": 'better = "higher"'}.items():
        section.require(key, example)
    section.choice("better", ("higher", "lower"))
    unit, better = section.text("unit"), section.data["better"]
    assert unit is not None  # noqa: S101  # required above
    return Metric(name=name, unit=unit, better=better, tier="local", group="speed")


def _check_catalogue(section: Section, known: Metric) -> None:
    """Unit and direction stand in the file to be read there; they never say otherwise than the catalogue."""
    for key, wanted in (("unit", known.unit), ("better", known.better)):
        section.require(key, f'{key} = "{wanted}"')
        given = section.data[key]
        if given != wanted:
            raise section.fault(f'{key} is {given!r}, but {known.name} has {wanted!r}; write {key} = "{wanted}"', key)


def _bounds(section: Section) -> tuple[float | None, float, float | None]:
    value, low, high = section.number("value"), section.number("low"), section.number("high")
    assert value is not None  # noqa: S101  # required above; TOML has no null
    if low is None and high is None:
        raise section.fault("neither low nor high is given; add the bound that a regression would cross")
    if low is not None and high is not None and low > high:
        raise section.fault(f"low = {low!r} is above high = {high!r}; swap or correct them", "low")
    if low is not None and value < low:
        raise section.fault(
            f"low = {low!r} excludes the entry's own value = {value!r}; lower it or correct value", "low"
        )
    if high is not None and value > high:
        raise section.fault(
            f"high = {high!r} excludes the entry's own value = {value!r}; raise it or correct value", "high"
        )
    return low, value, high
