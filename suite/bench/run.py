"""The state of one run: its request, its resources, and its results so far. It does not depend on pytest.

`suite.bench.pipeline` has the steps that change it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cached_property
from typing import TYPE_CHECKING

from suite.bench.options import Options
from suite.bench.resolved_cell import Case
from suite.core.machine.core import Watch
from suite.core.metrics import COUNTS, INSTRUCTIONS, is_paired
from suite.core.prices import Prices
from suite.core.records import CellFailure, Expectation, Group, Measurement, RunHeader, Verdict
from suite.gate import Recorded, Store
from suite.report.endings import incomplete
from suite.report.results.folder import RunFolder

if TYPE_CHECKING:
    import pandas as pd

    from suite.bench.bench import Bench
    from suite.bench.time_budget import Budget


@dataclass(frozen=True, kw_only=True)
class GroupResult:
    """One group of metrics of one case on its way through the steps of a run.

    ``resumed`` says that an earlier process of this run measured it; ``began`` is when the steps began, in seconds of
    `time.perf_counter`.
    """

    case: Case
    group: Group
    began: float
    resumed: bool = False
    measurements: Sequence[Measurement] = ()
    failures: Sequence[CellFailure] = ()
    verdicts: Sequence[Verdict] = ()


@dataclass(kw_only=True)
class Run(AbstractContextManager["Run"]):
    """One run. ``planned`` are the groups of every case that it is to measure; ``broken`` says by workload why it
    cannot be measured at all.
    """

    options: Options
    header: RunHeader
    folder: RunFolder
    bench: Bench
    store: Store
    planned: Mapping[Case, tuple[Group, ...]]
    broken: Mapping[str, str] = field(default_factory=dict)
    faults: Mapping[str, str] = field(default_factory=dict)
    """By workload, what its baseline cannot do: the preflight left it out of this run."""
    verdicts: list[Verdict] = field(default_factory=list)
    latest: Sequence[Measurement] = ()
    """The metrics of the group that was measured last, judged or not."""
    done: set[tuple[Case, Group]] = field(default_factory=set)
    failed: dict[Case, str] = field(default_factory=dict)
    """Why a case is an error: its other groups are not tried."""
    null_ratios: list[float] = field(default_factory=list)
    """The baseline against its own copy, in every sample so far."""
    arm_ratios: dict[str, list[float]] = field(default_factory=dict)
    """By metric, the ratios so far of cells that do the baseline's own work."""
    taken_back: int = 0
    """Groups that failed until the null arms of the run turned out to be biased."""
    prices: Prices | None = None
    """The user's prices, of all machines that they name."""
    budget: Budget | None = None
    recorded: Recorded | None = None
    remembered: str | None = None
    """What became of this run's metrics in the history, ``None`` if none is kept."""
    table: pd.DataFrame | None = None
    """The trade-off table once it was written, for the page."""
    page: str | None = None
    """Where the run's page is, or why there is none."""
    cores: Watch = field(default_factory=Watch)
    """What this machine's cores did since the run began."""

    def __exit__(self, *details: object) -> None:
        self.bench.__exit__(*details)

    @property
    def partial(self) -> bool:
        """Whether it may leave out a part of what it planned: as asked, or because its minutes are too few."""
        return self.options.partial or bool(self.passed_over)

    @property
    def passed_over(self) -> Collection[Case]:
        """The cases that the minutes of this run leave out."""
        return () if self.budget is None else self.budget.left

    def starts(self, case: Case) -> bool:
        """Whether the minutes of this run let a case begin, or go on."""
        return self.budget is None or self.budget.starts(case)

    def left_out(self) -> list[tuple[Case, Group]]:
        """What was planned and neither measured nor found unavailable."""
        return [
            (case, group) for case, groups in self.planned.items() for group in groups if (case, group) not in self.done
        ]

    def entries(self, case: Case) -> list[Expectation]:
        """What is expected of a case here; counts of work and of instructions only of a run that counts them."""
        entries = self.store.find(case.workload.name, self.header.where)
        own = (entry for entry in entries if entry.technique == case.cell.technique)
        plan = self.bench.plan
        left_out = {*(() if plan.count else COUNTS), *(() if plan.instructions else INSTRUCTIONS)}
        return [entry for entry in own if entry.metric not in left_out]

    @cached_property
    def timings(self) -> int:
        """How many ratios of times this run is to judge: all of them together may err once in 200 runs."""
        timed = (case for case, groups in self.planned.items() if "speed" in groups)
        return sum(is_paired(e.metric) and not e.retired for case in timed for e in self.entries(case))

    @cached_property
    def today(self) -> date:
        """In UTC, once for the whole run."""
        return datetime.now(UTC).date()

    @cached_property
    def before(self) -> Sequence[Measurement]:
        """What the resumed run measured; half a group is measured again."""
        if self.options.resume is None:
            return ()
        half = incomplete(self.folder)
        return [found for found in self.folder.measurements() if (found.cell, found.group) not in half]
