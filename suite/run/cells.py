"""Which cells a run measures: workloads x compositions on one device."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from suite.composition import BASELINE, Member, parse
from suite.errors import CompositionError, SuiteError, UsageError, unknown
from suite.records import Cell
from suite.registry import Registry, Workload

Profile = Literal["quick", "default", "full"]
PRECISIONS = {"fp32": None, "bf16": "amp_bf16", "fp16": "amp_fp16"}


@dataclass(frozen=True, kw_only=True)
class Selection:
    """What a user asked for; empty sequences mean everything that runs by default."""

    device: str = "cpu"
    workloads: Sequence[str] = ()
    techniques: Sequence[str] = ()
    precision: str = "fp32"
    profile: Profile = "default"


def select(registry: Registry, selection: Selection) -> tuple[list[Cell], list[str]]:
    """The cells of a selection, and a note for each composition that ``--precision`` cannot apply to.

    Raises `UsageError` for names that do not exist and for compositions that were asked for and contradict themselves.
    """
    if selection.precision not in PRECISIONS:
        raise unknown("precision", selection.precision, PRECISIONS)
    notes: list[str] = []
    for workload in _workloads(registry, selection):
        for text in selection.techniques:
            _check_values(registry, workload, text)
    cells = [
        Cell(workload=workload.name, technique=composition, device=selection.device)
        for workload in _workloads(registry, selection)
        for composition in _compositions(registry, workload, selection, notes)
    ]
    return cells, list(dict.fromkeys(notes))


def _check_values(registry: Registry, workload: Workload, text: str) -> None:
    """Building a recipe trains nothing, but tells parameters that are out of range now and not after an hour."""
    try:
        registry.resolve(text).apply(workload.recipe(0))
    except SuiteError:
        raise
    except Exception:  # noqa: BLE001, S110  # a recipe that cannot be built is its cells' error
        pass


def _workloads(registry: Registry, selection: Selection) -> Iterable[Workload]:
    if selection.workloads:
        return [registry.find_workload(name) for name in dict.fromkeys(selection.workloads)]
    quick = selection.profile == "quick"
    return [workload for workload in registry.workloads.values() if workload.quick or not quick]


def _compositions(registry: Registry, workload: Workload, selection: Selection, notes: list[str]) -> list[str]:
    asked = bool(selection.techniques)
    plain = _asked(registry, selection) if asked else _default(registry, workload, selection)
    added = PRECISIONS[selection.precision]
    if added is None:
        return plain
    composed = [_with_precision(registry, name, added, notes, strict=asked) for name in plain]
    return list(dict.fromkeys(name for name in composed if name is not None))


def _asked(registry: Registry, selection: Selection) -> list[str]:
    full = selection.profile == "full"
    names: list[str] = []
    for text in selection.techniques:
        members = parse(text)
        sweeps = full and len(members) == 1 and not members[0].parameters
        names += registry.variants(members[0].name, sweep=True) if sweeps else [registry.canonical(text)]
    return list(dict.fromkeys(names))


def _default(registry: Registry, workload: Workload, selection: Selection) -> list[str]:
    running = [found.name for found in registry.techniques.values() if found.runs]
    names = workload.techniques if workload.techniques is not None else running
    ordered = [BASELINE, *(name for name in names if name != BASELINE)]
    usable = [name for name in ordered if workload.labels or "labels" not in registry.find_technique(name).needs]
    return [v for name in usable for v in registry.variants(name, sweep=selection.profile == "full")]


def _with_precision(registry: Registry, name: str, added: str, notes: list[str], *, strict: bool) -> str | None:
    resolved = registry.resolve(name)
    if "precision" in resolved.slots:
        return name
    parts = [] if name == BASELINE else [name]
    try:
        return registry.canonical("+".join([*parts, str(Member(name=added))]))
    except CompositionError as error:
        if strict:
            raise UsageError(f"--precision: {error}") from error
        notes.append(f"{name} is left out: {error}")
        return None
