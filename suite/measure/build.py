"""Measurements from values: unit, direction and tier come from the catalogue."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from suite.metrics import metric
from suite.records import Cell, Measurement


def measured(cell: Cell, name: str, value: float, **details: Any) -> Measurement:
    """A `Measurement` of the catalogue's metric ``name``; ``details`` are its further fields."""
    row = metric(name)
    plain = Measurement(
        cell=cell, metric=name, value=float(value), unit=row.unit, better=row.better, tier=row.tier, group=row.group
    )
    return replace(plain, **details)
