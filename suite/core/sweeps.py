"""Compositions as points of sweeps: which differ in one parameter alone, and in which values of it.

Only the canonical text of compositions is known here; nothing heavy is imported.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from suite.core.composition import BASELINE, TechniqueCall, join, parse
from suite.core.errors import CompositionError

LEAST_POINTS = 3  # two points are a line whatever the truth


@dataclass(frozen=True, kw_only=True, order=True)
class Sweep:
    """One parameter of one technique, all else equal; ``rest`` is the composition without that parameter."""

    rest: str
    technique: str
    parameter: str

    @property
    def name(self) -> str:
        """The parameter as columns name it: ``technique.parameter``."""
        return f"{self.technique}.{self.parameter}"


def parameters(composition: str) -> dict[str, Any]:
    """The parameters of a composition by ``technique.parameter``, in its order; none of what is no composition."""
    return {f"{member.name}.{key}": value for member in _members(composition) for key, value in member.parameters}


def sweeps(compositions: Iterable[str], *, least: int = LEAST_POINTS) -> dict[Sweep, dict[Any, str]]:
    """The composition of each value of every sweep that has ``least`` values or more.

    Sweeps stand in order of first appearance, numbers within one ascend, other values stay in their order.
    """
    found: dict[Sweep, dict[Any, str]] = {}
    for composition in dict.fromkeys(compositions):
        for sweep, value in _points(composition):
            found.setdefault(sweep, {})[value] = composition
    return {sweep: _ordered(points) for sweep, points in found.items() if len(points) >= least}


def is_number(value: Any) -> bool:
    """Whether a parameter's value has a place on an axis."""
    return isinstance(value, int | float) and not isinstance(value, bool)


@lru_cache(maxsize=65536)
def _points(composition: str) -> tuple[tuple[Sweep, Any], ...]:
    return tuple(_values(composition))


def _values(composition: str) -> Iterator[tuple[Sweep, Any]]:
    members = _members(composition)
    for place, member in enumerate(members):
        for key, value in member.parameters:
            others = tuple(item for item in member.parameters if item[0] != key)
            rest = [*members[:place], TechniqueCall(name=member.name, parameters=others), *members[place + 1 :]]
            yield Sweep(rest=join(rest), technique=member.name, parameter=key), value


@lru_cache(maxsize=65536)  # tables ask for the same names many times
def _members(composition: str) -> tuple[TechniqueCall, ...]:
    if composition == BASELINE:
        return ()
    try:
        return parse(composition)
    except CompositionError:  # a record of another version, or of a user's own making
        return ()


def _ordered(points: Mapping[Any, str]) -> dict[Any, str]:
    return dict(sorted(points.items())) if all(map(is_number, points)) else dict(points)
