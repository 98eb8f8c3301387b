"""Counted entries as a table for a terminal, and as CSV."""

from __future__ import annotations

import csv
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from suite.catalog.zoo.entries import ZooEntry
from suite.claims.torchvision.agreement import GIGA
from suite.claims.torchvision.counts import Counts
from suite.core.errors import UsageError

Counted = tuple[ZooEntry, Counts]

GAP = "  "
TRAINED_ON = "IMAGENET1K_"  # which most names of weights begin with: it is the column's title instead
TITLES = ("network", TRAINED_ON, "parameters", "GMACs", "MB", "top-1 %", "pixels")
TEXTS = ("network", TRAINED_ON)  # to the left, figures to the right
SPARED = ("MB", "pixels", "top-1 %", "parameters", "GMACs", TRAINED_ON)  # left out in this order where it is narrow
CSV = (
    "network",
    "weights",
    "parameters",
    "macs",
    "bytes",
    "top1_percent",
    "pixels",
    "published_parameters",
    "published_gmacs",
)


def table(counted: Sequence[Counted], width: int) -> Iterator[str]:
    """A heading and a line for each entry, of at most ``width`` characters; what is left out for that is said."""
    columns = {column[0]: list(column) for column in zip(TITLES, *map(_shown, counted), strict=True)}
    gone = list(_left_out(columns, width))
    kept = [_aligned(title, column) for title, column in columns.items() if title not in gone]
    yield from (GAP.join(line).rstrip() for line in zip(*kept, strict=True))
    if gone:
        yield from textwrap.wrap(f"not shown at this width: {', '.join(gone)}; see --csv FILE", width)


def _shown(counted: Counted) -> tuple[str, ...]:
    """An entry's texts, in the order of `TITLES`."""
    entry, counts = counted
    return (
        entry.model,
        entry.weights.removeprefix(TRAINED_ON),
        f"{counts.parameters:,}",
        "-" if counts.macs is None else f"{counts.macs / GIGA:.3f}",
        f"{counts.bytes / 1e6:.1f}",
        "-" if entry.accuracy is None else f"{entry.accuracy:.2f}",
        str(entry.pixels),
    )


def _left_out(columns: dict[str, list[str]], width: int) -> Iterator[str]:
    taken = {title: max(map(len, column)) for title, column in columns.items()}
    for title in SPARED:
        if sum(taken.values()) + len(GAP) * (len(taken) - 1) <= width:
            return
        del taken[title]
        yield title


def _aligned(title: str, column: Iterable[str]) -> list[str]:
    column = list(column)
    room = max(map(len, column))
    return [text.ljust(room) if title in TEXTS else text.rjust(room) for text in column]


def write_csv(counted: Iterable[Counted], path: Path) -> None:
    """A row for each entry; multiply-accumulates and bytes as whole numbers, what is not known is empty."""
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(CSV)
            writer.writerows(map(_row, counted))
    except OSError as error:
        raise UsageError(f"cannot write {str(path)!r}: {error.strerror}; name a file that can be written") from error


def _row(counted: Counted) -> tuple[object, ...]:
    entry, counts = counted
    ours = (counts.parameters, counts.macs, counts.bytes)
    return (entry.model, entry.weights, *ours, entry.accuracy, entry.pixels, entry.parameters, entry.gmacs)
