"""What all plots of a page have in common: values as plain JSON, few digits, few points."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Plain = dict[str, Any]
"""An object of JSON."""
DIGITS = 6  # of a drawn value; the run's files have all
MOST_POINTS = 2000  # of one trace


def thinned(values: Sequence[Any], most: int = MOST_POINTS) -> list[Any]:
    """At most ``most`` values, evenly chosen, the first and the last among them."""
    if len(values) <= most:
        return list(values)
    return [values[round(k * (len(values) - 1) / (most - 1))] for k in range(most)]


def short(value: float | None) -> float | None:
    """A value with `DIGITS` digits."""
    return None if value is None else float(f"{value:.{DIGITS}g}")
