"""`suite list`: what can be measured, and what is expected of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from suite.metrics import METRICS
from suite.registry import Registry, Technique


def lines(registry: Registry, what: str | None, directories: Sequence[Path]) -> Iterator[str]:
    """One line for each workload, technique, metric or expectation; without ``what``, workloads and techniques."""
    if what in (None, "workloads"):
        yield "workloads"
        yield from (f"  {w.name:<22} {w.about}" for w in registry.workloads.values())
    if what in (None, "techniques"):
        yield "techniques"
        yield from (f"  {_spelled(registry, t):<58} {t.about}" for t in registry.techniques.values())
    if what == "metrics":
        for m in METRICS.values():
            yield f"{m.name:<26} {m.unit:<4} {m.better:<7} {m.tier:<9} {m.about}"
    if what == "expectations":
        yield from _expectations(directories)


def _spelled(registry: Registry, technique: Technique) -> str:
    return registry.canonical(technique.name)


def _expectations(directories: Sequence[Path]) -> Iterator[str]:
    from suite.expect import load_all

    for directory in dict.fromkeys(folder.resolve() for folder in directories if folder.is_dir()):
        for e in load_all(directory):
            low = "" if e.low is None else f" >= {e.low:g}"
            high = "" if e.high is None else f" <= {e.high:g}"
            yield f"{e.level} {e.workload} {e.technique} {e.metric} = {e.value:g}{low}{high} ({e.path}:{e.line})"
