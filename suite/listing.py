"""`suite list`: what can be measured, and what is expected of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from suite.metrics import METRICS, place
from suite.registry import Registry


def lines(registry: Registry, what: str | None, directories: Sequence[Path]) -> Iterator[str]:
    """One line for each workload, technique, metric or expectation; without ``what``, workloads and techniques."""
    if what in (None, "workloads"):
        yield "workloads"
        yield from _aligned((f"  {w.name}", w.about) for w in registry.workloads.values())
    if what in (None, "techniques"):
        yield "techniques"
        yield from _aligned((f"  {registry.canonical(t.name)}", t.about) for t in registry.techniques.values())
    if what == "metrics":
        yield from _aligned(
            (m.name, m.unit, m.better, m.tier, m.about) for m in sorted(METRICS.values(), key=lambda m: place(m.name))
        )
    if what == "expectations":
        yield from _expectations(directories)


def _aligned(rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Rows as lines whose columns, but for the last, are as wide as their widest text."""
    rows = list(rows)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield " ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()


def _expectations(directories: Sequence[Path]) -> Iterator[str]:
    from suite.expect import load_all

    for directory in dict.fromkeys(folder.resolve() for folder in directories if folder.is_dir()):
        for e in load_all(directory):
            low = "" if e.low is None else f" >= {e.low:g}"
            high = "" if e.high is None else f" <= {e.high:g}"
            yield f"{e.level} {e.workload} {e.technique} {e.metric} = {e.value:g}{low}{high} ({e.path}:{e.line})"
