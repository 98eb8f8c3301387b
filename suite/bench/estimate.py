"""How long cells will take: by the newest earlier run that measured the same of them, else by a guess that says so."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from suite.bench.resolved_cell import Case
from suite.core.machine.hardware import device_type
from suite.core.records import Cell, Group
from suite.report.results.durations import Past

GUESS: Mapping[Group, float] = {"quality": 20.0, "size": 2.0, "speed": 20.0, "memory": 5.0}  # digits_cnn on one core
QUICK: Mapping[Group, float] = {"quality": 6.0, "size": 0.5, "speed": 8.0, "memory": 0.5}  # the same, quick profile
ON_ACCELERATOR: Mapping[Group, float] = {"quality": 5.0, "size": 1.0, "speed": 10.0, "memory": 2.0}  # ResNet-50, H200
COMPILED = 60.0  # seconds more on an accelerator, where kernels are generated and tried
PROCESS = 22.0  # of each further process: imports, a driver's start, and its share of timing
MINUTE = 60.0


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """Seconds that a cell will take; ``day`` is that of the run which took as long, empty for a guess."""

    seconds: float
    day: str = ""


Wanted = Mapping[Case, Collection[Group]]
"""The groups of each case that are to be measured, in the order of the run."""


def estimates(
    wanted: Wanted, history: Sequence[Past], *, reuse: bool = False, processes: int = 1, quick: bool = False
) -> dict[Case, Estimate]:
    """An estimate for each case from the ``history``, newest first.

    Training is counted with the group that happened to come first, so only a run of the same groups tells a cell's
    time; a run of more groups, or one that reused no trainings, gives an upper limit. A cell that no run measured is
    guessed to take as long as its workload's others in the middle, else by the type of its device and the profile, with
    more for each of several ``processes`` and, on an accelerator, for what is compiled.
    """
    known = {case: _known(case.cell, groups, history, reuse=reuse) for case, groups in wanted.items()}
    return {
        case: known[case] or _like_others(case, known) or _by_device(case, groups, processes, quick=quick)
        for case, groups in wanted.items()
    }


def _known(cell: Cell, groups: Collection[Group], history: Sequence[Past], *, reuse: bool) -> Estimate | None:
    if not groups:
        return Estimate(seconds=0.0, day="-")  # a resumed run has it
    wanted = set(groups)
    same = [past for past in history if set(past.seconds.get(cell, {})) == wanted and past.reuse == reuse]
    more = [past for past in history if set(past.seconds.get(cell, {})) >= wanted and (reuse or not past.reuse)]
    for past in (*same, *more):
        return Estimate(seconds=sum(past.seconds[cell].values()), day=past.day)
    return None


def _like_others(case: Case, known: Mapping[Case, Estimate | None]) -> Estimate | None:
    """The middle of what is known of the workload's other cells."""
    others = [
        found.seconds for other, found in known.items()
        if found is not None and found.seconds and other.workload.name == case.workload.name
    ]  # fmt: skip
    return Estimate(seconds=median(others)) if others else None


def _by_device(case: Case, groups: Collection[Group], processes: int, *, quick: bool) -> Estimate:
    on_cpu = device_type(case.cell.device) == "cpu"
    usual = (QUICK if quick else GUESS) if on_cpu else ON_ACCELERATOR
    further = (processes - 1) * PROCESS + (COMPILED if case.compiles and not on_cpu else 0.0)
    return Estimate(seconds=sum(usual[group] for group in groups) + (further if "speed" in groups else 0.0))


def forecast(found: Mapping[Case, Estimate]) -> str:
    """One line on how long a run will take, and how that is known."""
    total = sum(one.seconds for one in found.values())
    days = sorted({one.day for one in found.values() if one.day.strip("-")})
    guessed = sum(not one.day for one in found.values())
    count = f"{len(found)} cell{'' if len(found) == 1 else 's'}"
    if not days and guessed:
        return f"{count}: about {minutes(total)} (a guess: the reports have no earlier run like this one)"
    said = (
        f"the run of {days[-1]}" if len(days) == 1 else f"runs of {days[0]} to {days[-1]}" if days else "what is left"
    )
    have, are = ("has", "is") if guessed == 1 else ("have", "are")
    unknown = f"; {guessed} of them {have} no history and {are} guessed" if guessed else ""
    return f"{count}: about {minutes(total)} by {said}{unknown}"


def minutes(seconds: float) -> str:
    """A duration as a person would say it."""
    if seconds < MINUTE:
        return f"{max(1, round(seconds))} s"
    return f"{seconds / MINUTE:.1f} min" if seconds < 10 * MINUTE else f"{seconds / MINUTE:.0f} min"


def fitting(found: Mapping[Case, Estimate], seconds: float) -> list[Case]:
    """The cases that fit into ``seconds`` one after the other: baselines first, then by order; whole or not at all.

    One that is too long is passed over for a later, shorter one.
    """
    ordered = sorted(found, key=lambda case: not case.composition.is_baseline)  # stable
    taken, spent = set(), 0.0
    for case in ordered:
        if spent + found[case].seconds <= seconds:
            taken.add(case)
            spent += found[case].seconds
    return [case for case in found if case in taken]
