"""The tables ``["technique".shape.metric]`` of an expectation file: how a metric runs along a parameter."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from suite.core.composition import TechniqueCall, parse
from suite.core.errors import CompositionError, UsageError
from suite.core.metrics import metric
from suite.core.records import ShapeExpectation
from suite.gate.files import details
from suite.gate.files.shapes import SHAPES

if TYPE_CHECKING:
    from suite.core.toml_section import Section

KEYS = ("along", "shape", "slack", "xfail")
EXAMPLES = {"along": 'along = "sparsity"', "shape": 'shape = "non-increasing"'}


def shapes(section: Section) -> Iterator[ShapeExpectation]:
    """The shapes of one technique, from its table ``shape``. Raises `ExpectationFileError` for any fault."""
    technique = section.keys[0]
    hint = f'write it as ["{technique}".shape.accuracy]'
    if not isinstance(section.data, Mapping) or not section.data:
        raise section.fault(f"shape of {technique!r} names no metric; {hint}")
    for name, table in section.data.items():
        if not isinstance(table, Mapping):
            raise section.fault(f"{name} = {table!r} is no shape of a metric of {technique!r}; {hint}", name)
        yield _shape(replace(section, data=table, keys=(*section.keys, name)))


def _shape(section: Section) -> ShapeExpectation:
    technique, _, name = section.keys
    section.allow(KEYS)
    for key, example in EXAMPLES.items():
        section.require(key, example)
    section.choice("shape", tuple(SHAPES))
    members = _members(section, technique)
    along = section.text("along")
    assert along is not None  # noqa: S101  # required above
    _check_free(section, members, along)
    try:
        known = metric(name)
    except UsageError as error:
        raise section.fault(str(error)) from error
    return ShapeExpectation(
        workload=section.path.stem,
        technique=technique,
        metric=known.name,
        level=section.path.absolute().parent.name,
        along=along,
        shape=section.data["shape"],
        slack=_slack(section),
        xfail=details.xfail(section.section("xfail")),
        path=str(section.path),
        line=section.lines.of(*section.keys) or 0,
    )


def _slack(section: Section) -> float:
    slack = section.number("slack") or 0.0
    if slack < 0:
        raise section.fault(f"slack is the allowed violation of the shape and cannot be {slack!r}; correct it", "slack")
    return slack


def _members(section: Section, technique: str) -> tuple[TechniqueCall, ...]:
    try:
        return parse(technique)
    except CompositionError as error:
        raise section.fault(str(error)) from error


def _check_free(section: Section, members: tuple[TechniqueCall, ...], along: str) -> None:
    """A shape along a parameter that its composition fixes would never be asked."""
    owner, _, parameter = along.rpartition(".")
    for member in members:
        if owner in ("", member.name) and parameter in dict(member.parameters):
            raise section.fault(f"along = {along!r}, but {member} fixes it; leave {parameter} out of the name", "along")
