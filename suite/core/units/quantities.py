"""Quantities as people type them: ``100kB``, ``5 ms``, ``1.5``, ``95%``, ``200k``; each for a metric and its unit."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Mapping
from decimal import Decimal

from suite.core.errors import UsageError
from suite.core.units.values import number, unit_of

UNITS: Mapping[str, Mapping[str, str]] = {
    "B": {"B": "1", "kB": "1e3", "MB": "1e6", "GB": "1e9", "TB": "1e12"}
    | {"KiB": "1024", "MiB": "1048576", "GiB": "1073741824"},
    "s": {"s": "1", "ms": "1e-3", "us": "1e-6", "µs": "1e-6", "ns": "1e-9", "min": "60", "h": "3600"},
    "J": {"J": "1", "mJ": "1e-3", "kJ": "1e3", "MJ": "1e6", "Wh": "3600", "kWh": "3.6e6"},
    "1": {"%": "1e-2", "k": "1e3", "M": "1e6", "G": "1e9", "T": "1e12", "x": "1"},
    "1/s": {"/s": "1", "k/s": "1e3", "M/s": "1e6"},
    "bit": {"bit": "1"},
}
"""What may stand behind a number, and its size in the metric's own unit, for each such unit."""

NAMES = {"B": "bytes", "s": "seconds", "J": "joules", "1": "a plain number", "1/s": "a rate", "bit": "bits"}
EXAMPLES = {"B": "100kB", "s": "5ms", "J": "2J", "1": "1.5 or 95%", "1/s": "1000/s", "bit": "2.1bit"}
SHOWN = {"B": ("GB", "MB", "kB", "B"), "s": ("s", "ms", "us", "ns"), "J": ("MJ", "kJ", "J", "mJ")}
NEVER_NEGATIVE = frozenset({"B", "s", "J", "1/s"})

_QUANTITY = re.compile(r"([+-]?(?:\d[\d_]*(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3}(?!\d))?)\s*(.*)")
LONGEST = 100  # characters; what is longer is no number that anybody typed


def parse_quantity(text: str, *, metric: str, unit: str) -> float:
    """The size of ``text`` in ``unit``, which is that of ``metric``; a number alone is in that unit already.

    Decimal arithmetic: ``5ms`` is the float 0.005. Raises `UsageError` for anything else than a finite number and a
    unit that fits the metric.
    """
    found = _QUANTITY.fullmatch(text.strip()) if len(text) <= LONGEST else None
    if found is None:
        raise UsageError(f"{metric}: {text[:LONGEST]!r} is no quantity; write one like {_example(unit)}")
    scale = _scale(found[2].strip(), text=text, metric=metric, unit=unit)
    value = float(Decimal(found[1].replace("_", "")) * Decimal(scale))
    if not math.isfinite(value):
        raise UsageError(f"{metric}: {text!r} is too large for a float; write a size that can be measured")
    if value < 0 and unit in NEVER_NEGATIVE:
        raise UsageError(f"{metric}: {text!r} is negative, which {NAMES[unit]} never are; drop the sign")
    return value


def spell(value: float, unit: str, *, bound: float | None = None) -> str:
    """A figure in the unit that fits, with four digits; more where it would read as on the other side of ``bound``."""
    name = _shown_in(value, unit)
    if name is None:
        return f"{number(value, bounds=[bound])}{unit_of(unit)}"
    scale = float(UNITS[unit][name])
    return f"{number(value / scale, bounds=[None if bound is None else bound / scale])} {name}"


def _shown_in(value: float, unit: str) -> str | None:
    names = SHOWN.get(unit)
    if names is None:
        return None
    fitting = (name for name in names if abs(value) >= 0.99995 * float(UNITS[unit][name]))
    return next(fitting, names[-1] if value else unit)


def _scale(written: str, *, text: str, metric: str, unit: str) -> str:
    known = UNITS.get(unit, {})
    if not written or (written == unit and unit != "1"):
        return "1"
    if written in known:
        return known[written]
    raise UsageError(_misfit(written, text, metric, unit))


def _misfit(written: str, text: str, metric: str, unit: str) -> str:
    ours = f"{metric} is measured in {NAMES.get(unit, unit)} ({unit}); write a quantity like {_example(unit)}"
    other = next((name for name, units in UNITS.items() if written in units), None)
    if other is not None:
        return f"{text!r} is in {NAMES[other]} ({written}), but {ours}"
    near = _nearest(written, UNITS.get(unit, {}))
    return f"{text!r} has the unknown unit {written!r}{near}; {ours}"


def _nearest(written: str, known: Mapping[str, str]) -> str:
    """A hint at the unit that was meant: the same letters in another case, else the most similar."""
    same = [name for name in known if name.lower() == written.lower()]
    near = same or difflib.get_close_matches(written, list(known), n=1, cutoff=0.5)
    return f" (did you mean {near[0]}?)" if near else ""


def _example(unit: str) -> str:
    return EXAMPLES.get(unit, f"1.5{unit_of(unit)}")
