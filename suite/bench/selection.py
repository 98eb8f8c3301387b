"""Which cells a run measures: workloads x compositions on one device."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from suite.bench.resolved_cell import Case, case, refused
from suite.core.composition import BASELINE, parse
from suite.core.errors import CompositionError, OrderError, RegistrationError, SuiteError, UsageError
from suite.core.records import GROUPS
from suite.registry import Registry, Workload

Profile = Literal["quick", "default", "full"]


@dataclass(frozen=True, kw_only=True)
class Selection:
    """A user's selection; empty sequences mean everything that runs by default."""

    device: str = "cpu"
    workloads: Sequence[str] = ()
    techniques: Sequence[str] = ()
    precision: str = "fp32"
    profile: Profile = "default"
    sweep: bool = False
    """Whether each technique's whole sweep runs, as it does in the full profile."""
    combinations: Sequence[str] = ()
    """Compositions of several techniques that run beside each one alone, or with ``together`` in their stead."""
    together: bool = False
    batch: int | None = None
    """Items of a served batch, instead of each workload's own."""

    @property
    def sweeps(self) -> bool:
        return self.sweep or self.profile == "full"

    @property
    def is_everything(self) -> bool:
        """Whether no cell of the workloads that are run was left out by name."""
        return not self.techniques and self.precision == "fp32" and not self.together


def named(
    registry: Registry, *, device: str, workloads: Sequence[str], techniques: Sequence[str], load: Sequence[str]
) -> list[Case]:
    """The cases that a command names, once the user's modules are loaded; without techniques the baseline."""
    from suite.core.machine.hardware import resolve_device  # loads torch
    from suite.registry.settings import load_user_modules

    load_user_modules(registry, Path.cwd(), list(load))
    chosen = Selection(
        device=resolve_device(device), workloads=list(workloads), techniques=list(techniques) or [BASELINE],
        profile="quick",
    )  # fmt: skip
    return select(registry, chosen)[0]


def select(registry: Registry, selection: Selection) -> tuple[list[Case], list[str]]:
    """The cases of a selection, and notes on what it leaves out: compositions to which ``--precision`` cannot apply,
    and workloads that take no combinations although these were selected.

    Raises `UsageError` for names that do not exist and for compositions that were asked for and contradict themselves.
    One that is only misordered is a case that is unavailable, with the right spelling, unless nothing else was asked.
    """
    misordered = _misordered(registry, selection.techniques)
    selection = replace(selection, techniques=[text for text in selection.techniques if text not in misordered])
    added = registry.of_precision(selection.precision)
    notes: list[str] = []
    for workload in _workloads(registry, selection):
        for text in selection.techniques:
            _check_values(registry, workload, text)
    cases = [
        replace(found, groups=GROUPS if selection.workloads else workload.groups_on(selection.device))
        for workload in _workloads(registry, selection)
        for found in [
            *(
                case(registry, workload, composition, selection.device, selection.batch)
                for composition in _compositions(registry, workload, selection, added, notes)
            ),
            *(refused(registry, workload, error, selection.device) for error in misordered.values()),
        ]
    ]
    if selection.together:
        limited = [
            one.name
            for one in _workloads(registry, selection)
            if not joined(one, selection.combinations, selection.device)
        ]
        why = "limits its techniques and runs no combination: name some with --technique"
        notes += [f"{name} {why}" for name in limited]
    return cases, list(dict.fromkeys(notes))


def _misordered(registry: Registry, texts: Sequence[str]) -> dict[str, OrderError]:
    """Of several compositions those whose members only stand in a wrong order; none if nothing else was asked for."""
    found: dict[str, OrderError] = {}
    for text in texts:
        try:
            registry.resolve(text)
        except OrderError as error:
            found[text] = error
        except SuiteError:
            continue  # told where the composition is looked up
    return found if len(found) < len(set(texts)) else {}


def _check_values(registry: Registry, workload: Workload, text: str) -> None:
    """Building a recipe trains nothing, but tells parameters that are out of range now and not after an hour."""
    try:
        registry.resolve(text).apply(workload.recipe(0))
    except RegistrationError:
        pass  # the technique's own fault, and its cells' error
    except SuiteError:
        raise
    except Exception:  # noqa: BLE001, S110  # a recipe that cannot be built is its cells' error
        pass


def _workloads(registry: Registry, selection: Selection) -> Iterable[Workload]:
    if selection.workloads:
        return [registry.find_workload(name) for name in dict.fromkeys(selection.workloads)]
    found = registry.workloads.values()
    return [workload for workload in found if _runs(workload, selection.profile, selection.device)]


def _runs(workload: Workload, profile: Profile, device: str) -> bool:
    """Whether a run that names no workload holds this one."""
    if profile == "full":
        return workload.full
    return workload.default_on(device) and (workload.quick_on(device) or profile != "quick")


def _compositions(
    registry: Registry, workload: Workload, selection: Selection, added: Sequence[str], notes: list[str]
) -> list[str]:
    asked = bool(selection.techniques)
    plain = _asked(registry, selection) if asked else _by_default(registry, workload, selection)
    if not added:
        return plain
    composed = [_with_precision(registry, name, added, notes, strict=asked) for name in plain]
    return list(dict.fromkeys(name for name in composed if name is not None))


def _asked(registry: Registry, selection: Selection) -> list[str]:
    sweep = selection.sweeps
    names = [name for text in selection.techniques for name in registry.variants(text, sweep=sweep)]
    return list(dict.fromkeys(names))


def _by_default(registry: Registry, workload: Workload, selection: Selection) -> list[str]:
    """Each technique that runs, and the combinations; a workload that limits its techniques has none of these."""
    alone = default_compositions(registry, workload, selection.profile, device=selection.device, sweep=selection.sweeps)
    together = joined(workload, selection.combinations, selection.device)
    return list(dict.fromkeys([*(alone[:1] if selection.together else alone), *together]))


def joined(workload: Workload, combinations: Sequence[str], device: str = "cpu") -> Sequence[str]:
    """Those that run for a workload on a device: none where it limits its techniques."""
    return combinations if workload.techniques_on(device) is None else ()


def default_compositions(
    registry: Registry, workload: Workload, profile: Profile, *, device: str = "cpu", sweep: bool = False
) -> list[str]:
    """What runs for a workload when no technique is named; with ``sweep`` each one's sweep, as in the full profile.

    If a workload limits its techniques by device type, a quick run leaves out those that are not quick.
    """
    quick = profile == "quick"
    limited = workload.techniques_on(device)
    running = [found.name for found in registry.techniques.values() if found.runs and (found.quick or not quick)]
    names = running if limited is None else limited
    if quick and isinstance(workload.techniques, Mapping):
        names = [name for name in names if all(found.quick for found, _ in registry.resolve(name).members)]
    ordered = [BASELINE, *(name for name in names if name != BASELINE)]
    variants = [v for name in ordered for v in registry.variants(name, sweep=sweep or profile == "full")]
    return list(dict.fromkeys(variants))


def _with_precision(
    registry: Registry, name: str, added: Sequence[str], notes: list[str], *, strict: bool
) -> str | None:
    """``name`` with the techniques of a precision; as it is where it chooses a precision itself."""
    resolved = registry.resolve(name)
    if resolved.precision != "fp32":
        return name
    members = [str(member) for member in parse(name) if not resolved.is_baseline]
    try:
        return registry.canonical(_in_order(registry, [*members, *added]))
    except CompositionError as error:
        if strict:
            raise UsageError(f"--precision: {error}") from error
        notes.append(f"{name} is left out: {error}")
        return None


def _in_order(registry: Registry, members: Sequence[str]) -> str:
    """Members joined so that what happens earlier after training stands earlier; else as given."""
    return "+".join(sorted(members, key=registry.stage))
