"""Our counts against the published ones: two counters that share no code but torch's shapes."""

from __future__ import annotations

from collections.abc import Iterator

from suite.catalog.zoo.entries import ZooEntry
from suite.claims.torchvision.counts import Counts

GIGA = 1e9
FLOAT = 1e-9  # GMACs: a figure on the edge of its rounding is none of a binary fraction's


def disagreements(entry: ZooEntry, counts: Counts) -> Iterator[str]:
    """A sentence for each count that is not the published one, or cannot be compared."""
    if entry.parameters is None or abs(counts.parameters - entry.parameters) > entry.parameters_within:
        yield f"{entry}: {counts.parameters} parameters, published {_said(entry.parameters)}"
    if not _same(counts.macs, entry):
        ours = "none counted" if counts.macs is None else f"{counts.macs / GIGA:.6f}"
        yield f"{entry}: GMACs {ours}, published {_said(entry.gmacs)}"


def _same(macs: int | None, entry: ZooEntry) -> bool:
    if macs is None or entry.gmacs is None:
        return False
    return abs(macs / GIGA - entry.gmacs) <= entry.gmacs_within + FLOAT


def _said(published: float | None) -> str:
    return "none" if published is None else str(published)
