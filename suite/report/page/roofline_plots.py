"""The roofline of each run: what its cells attain against the measured ceilings of its machine.

Williams, Waterman and Patterson 2009, https://doi.org/10.1145/1498765.1498785. Intensity is FLOP / bytes moved, two
FLOP for a multiply-accumulate; attained FLOP/s are those of the served batch. The bytes are those of tensors that
torch's operators read and write (`moved_bytes`), so that a cell whose tensors stay in a cache may lie above the slope.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from suite.core.records import Cell, Measurement
from suite.report.foreign import printable
from suite.report.page.plot_values import MOST_POINTS, Plain, short, thinned
from suite.report.page.run_content import RunContent, labelled

COPY = "copy"  # the ceiling of memory among those of a header; the others are matrix products by data type
FLOP_PER_MAC = 2
METRICS = ("macs", "mean_macs", "moved_bytes", "throughput")
FURTHER = 4  # times beyond the outermost cell or ridge that the ceilings are drawn


@dataclass(frozen=True)
class _Mark:
    """A cell at its intensity, FLOP a byte, and what it attains, FLOP/s."""

    cell: Cell
    intensity: float
    attained: float


def roofline_plots(runs: Sequence[RunContent]) -> Plain:
    """For each run with ceilings a caption, the ``ceilings`` as lines [n], and ``cells`` by number format."""
    plots = [plot for run, label in labelled(runs) if (plot := _roofline(run, label)) is not None]
    return {"plots": plots, "all": len(plots)}


def _roofline(run: RunContent, label: str) -> Plain | None:
    rates = {name: rate for name, rate in run.header.ceilings.items() if rate > 0}
    if COPY not in rates or len(rates) == 1:
        return None
    marks, left_out = _marks(run)
    drawn: list[_Mark] = thinned(marks, MOST_POINTS)
    formats: dict[str, list[_Mark]] = {}
    for mark in drawn:
        formats.setdefault(run.precision(mark.cell.technique), []).append(mark)
    return {
        "title": f"{label}: {_said(rates)}{_counted(len(drawn), len(marks), left_out)}",
        "ceilings": list(_ceilings(rates, [mark.intensity for mark in marks])),
        "cells": [{"name": printable(name), **_points(own)} for name, own in formats.items()],
    }


def _marks(run: RunContent) -> tuple[list[_Mark], int]:
    """The cells whose work, bytes and rate are known, and how many others were timed."""
    found: dict[Cell, dict[str, Measurement]] = {}
    for one in run.measurements:
        if one.metric in METRICS:
            found.setdefault(one.cell, {})[one.metric] = one
    timed = {cell: own for cell, own in found.items() if "throughput" in own}
    marks = [mark for cell, own in timed.items() if (mark := _mark(cell, own)) is not None]
    return marks, len(timed) - len(marks)


def _mark(cell: Cell, own: Mapping[str, Measurement]) -> _Mark | None:
    """``None`` where a figure is missing, disturbed, or not of a batch whose size is known."""
    work, moved, rate = own.get("mean_macs") or own.get("macs"), own.get("moved_bytes"), own["throughput"]
    if work is None or moved is None or rate.suspect or min(work.value, moved.value, rate.value) <= 0:
        return None
    batch = moved.conditions.get("batch")
    if not isinstance(batch, int):
        return None
    flop = FLOP_PER_MAC * work.value
    return _Mark(cell, flop * batch / moved.value, flop * rate.value)


def _ceilings(rates: Mapping[str, float], intensities: Sequence[float]) -> Iterator[Plain]:
    """The slope of memory, and from its ridge on the rate of each data type."""
    copy = rates[COPY]
    ridges = {name: rate / copy for name, rate in rates.items() if name != COPY}
    low, high = min([*ridges.values(), *intensities]) / FURTHER, max([*ridges.values(), *intensities]) * FURTHER
    top = max(ridges.values())
    yield {"name": COPY, "x": [short(low), short(top)], "y": [short(low * copy), short(top * copy)]}
    for name, ridge in sorted(ridges.items(), key=lambda item: item[1]):
        yield {"name": printable(name), "x": [short(ridge), short(high)], "y": [short(rates[name])] * 2}


def _points(marks: Sequence[_Mark]) -> Plain:
    return {
        "x": [short(mark.intensity) for mark in marks],
        "y": [short(mark.attained) for mark in marks],
        "text": [printable(f"{mark.cell.workload} {mark.cell.technique} {mark.cell.device}") for mark in marks],
    }


def _said(rates: Mapping[str, float]) -> str:
    products = ", ".join(f"{printable(name)} {rate / 1e9:.4g}" for name, rate in rates.items() if name != COPY)
    return f"matrix products {products} GFLOP/s, copies {rates[COPY] / 1e9:.4g} GB/s; "


def _counted(drawn: int, known: int, left_out: int) -> str:
    thin = f"{drawn} of {known} cells are drawn" if drawn < known else f"{known} cells"
    why = "compiled or of another engine, so that their bytes are not counted, or without a sound rate"
    return thin + (f"; {left_out} left out ({why})" if left_out else "")
