"""A run that fits into minutes: which cells it measures, what it leaves out and why, and when it starts no more."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from suite.bench.estimate import MINUTE, Estimate, estimates, fitting, forecast, minutes
from suite.bench.resolved_cell import Case
from suite.core import phases
from suite.core.errors import SetupError
from suite.core.records import Group
from suite.report.endings import incomplete
from suite.report.results.durations import alike

if TYPE_CHECKING:
    from suite.bench.options import Options
    from suite.bench.run import Run

SPENT = "the time was used up before it began"


@dataclass(kw_only=True)
class Budget:
    """The seconds of a run (``None``: as many as it takes), its cases' estimates, and why cases were left out."""

    seconds: float | None
    found: Mapping[Case, Estimate]
    left: dict[Case, str] = field(default_factory=dict)
    _started: set[Case] = field(default_factory=set)

    def __post_init__(self) -> None:
        if self.seconds is None:
            return
        taken = set(fitting(self.found, self.seconds))
        if not taken:
            shortest = min(self.found.values(), key=lambda one: one.seconds)
            raise SetupError(
                f"no cell fits into {minutes(self.seconds)}: the shortest takes about {minutes(shortest.seconds)}; "
                "raise --max-minutes"
            )
        self.left = {
            case: f"about {minutes(one.seconds)}{'' if one.day else ' by a guess'}"
            for case, one in self.found.items() if case not in taken
        }  # fmt: skip

    def starts(self, case: Case) -> bool:
        """Whether a case may begin, or go on; one that may not is left out from here on."""
        if case not in self._started and self.seconds is not None and phases.elapsed() >= self.seconds:
            self.left.setdefault(case, SPENT)
        if case not in self.left:
            self._started.add(case)
        return case not in self.left

    def lines(self) -> list[str]:
        """What is said before the run: how long it will take, and every cell that is left out."""
        taken = {case: one for case, one in self.found.items() if case not in self.left}
        return [forecast(taken), *self.left_lines()]

    def left_lines(self) -> list[str]:
        """Every cell that is left out, with the reason; nothing where there is none."""
        if not self.left or self.seconds is None:
            return []
        told = ", ".join(f"{case} ({why})" for case, why in self.left.items())
        cells = f"{len(self.left)} of {len(self.found)} cells {'is' if len(self.left) == 1 else 'are'}"
        return [f"--max-minutes {self.seconds / MINUTE:g}: {cells} left out, so the run is partial: {told}"]


def check(options: Options) -> None:
    """Raise `SetupError` for minutes that cannot be kept."""
    if options.max_minutes is None:
        return
    if not options.max_minutes > 0:
        raise SetupError(f"--max-minutes must be above 0, got {options.max_minutes:g}")
    if options.expect == "record":
        raise SetupError(
            "a partial run records nothing: drop --max-minutes, choose cells with "
            "--technique, or measure without --expect=record and store whole cells with `suite record <folder> --only`"
        )


def plan(run: Run, collected: Collection[tuple[Case, Group]]) -> Budget:
    """The budget of a run of the ``collected`` groups; what a resumed run has measured takes no time."""
    options = run.options
    done = {(m.cell, m.group) for m in run.folder.measurements()} - incomplete(run.folder) if options.resume else set()
    wanted: dict[Case, list[Group]] = {
        case: [group for group in groups if (case, group) in collected and (case.cell, group) not in done]
        for case, groups in run.planned.items()
        if any((case, group) in collected for group in groups)
    }
    past = alike(options.reports_dir, run.header)
    seconds = None if options.max_minutes is None else options.max_minutes * MINUTE
    found = estimates(
        wanted, past, reuse=options.reuse is not None, processes=run.header.processes,
        quick=run.header.profile == "quick",
    )  # fmt: skip
    return Budget(seconds=seconds, found=found)
