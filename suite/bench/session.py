"""One bench run: cases in, records, verdicts and a report out. Knows nothing of pytest."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import cached_property
from time import perf_counter
from typing import TYPE_CHECKING, Literal

from suite.bench import exit_code as decide
from suite.bench.confirm import Confirmation, noting
from suite.bench.explain import explain
from suite.bench.integrity import check_suite
from suite.bench.options import DEFAULT_SEEDS, Options, tolerant_of_warnings
from suite.bench.resolved_cell import Case
from suite.bench.whole_run import saw_too_little, slowed
from suite.core.errors import IncapableError, ResultsError, UnavailableError
from suite.core.exit_codes import EXIT_FAILED, EXIT_INCONCLUSIVE, EXIT_NOTHING, EXIT_PASS
from suite.core.machine import quiet
from suite.core.machine.core import Watch
from suite.core.metrics import is_paired
from suite.core.records import (
    Cell,
    CellFailure,
    Duration,
    Expectation,
    Group,
    GroupEnd,
    Measurement,
    RunEnd,
    RunHeader,
    Verdict,
    VerdictKind,
)
from suite.core.stats.null_arm import arm_doubt, null_ratios, run_doubt, same_work_ratios
from suite.gate import Recorded, Store, check, check_shapes, record
from suite.gate.error_rate import bar
from suite.report.endings import incomplete
from suite.report.results.folder import RunFolder, point_latest

if TYPE_CHECKING:
    import numpy as np

    from suite.bench.bench import Bench
    from suite.bench.time_budget import Budget
    from suite.measure.speed import Bounds

DECIDED = frozenset({VerdictKind.REGRESSED, VerdictKind.IMPROVED})
REUSED = "reused: an earlier run trained it"


@dataclass(kw_only=True)
class Session(AbstractContextManager["Session"]):
    """Measures groups of cases on demand, keeps every figure as it comes, and judges it.

    ``planned`` are the groups of every case that this run is to measure; ``broken`` says why a workload cannot be
    measured at all.
    """

    options: Options
    header: RunHeader
    folder: RunFolder
    bench: Bench
    store: Store
    planned: Mapping[Case, tuple[Group, ...]]
    broken: Mapping[str, str] = field(default_factory=dict)
    faults: Mapping[str, str] = field(default_factory=dict)
    """By workload, what its baseline cannot do: it was left out of this run."""
    verdicts: list[Verdict] = field(default_factory=list)
    recorded: Recorded | None = None
    remembered: str | None = None
    """What became of this run's figures in the history, ``None`` where none is kept."""
    budget: Budget | None = None
    done: set[tuple[Case, Group]] = field(default_factory=set)
    nulls: list[float] = field(default_factory=list)
    """The baseline against its own copy, in every sample so far."""
    arms: dict[str, list[float]] = field(default_factory=dict)
    """By metric, the ratios so far of cells that do the baseline's own work."""
    taken_back: int = 0
    """Groups that failed until the run's null arms were seen to be off."""
    cores: Watch = field(default_factory=Watch)
    """What this machine's cores did since the run began."""
    _failed: dict[Case, str] = field(default_factory=dict)

    def __exit__(self, *details: object) -> None:
        self.bench.__exit__(*details)

    # -- the steps of a run -------------------------------------------------------------------------------------

    def run(self, case: Case, group: Group) -> list[Verdict]:
        """One group of a case: measure it (or take it from the run that is resumed), judge, repeat, keep."""
        began, resumed = perf_counter(), self._resumed(case, group)
        measurements, failures = resumed or self._measured(case, group)
        verdicts = self._judged(case, group, measurements, failures)
        self.nulls += null_ratios(measurements)
        for metric, ratios in same_work_ratios(measurements).items():
            self.arms.setdefault(metric, []).extend(ratios)
        verdicts = [self._trusted(verdict) for verdict in self._repeated(case, group, verdicts)]
        if resumed is None and not any(failure.kind == "error" for failure in failures):
            self._keep_duration(case, group, perf_counter() - began)
        return self._kept(case, group, verdicts, len({found.metric for found in measurements}))

    def preflight(self) -> None:
        """Try every workload and technique before anything trains; a workload that is at fault is not measured."""
        self.faults = self.bench.preflight(list(self.planned))
        self.planned = {case: groups for case, groups in self.planned.items() if case.workload.name not in self.faults}

    def starts(self, case: Case) -> bool:
        """Whether the minutes of this run let a case begin, or go on; one that may not makes the run a partial one."""
        if self.budget is None or self.budget.starts(case):
            return True
        self.options = replace(self.options, partial=True)
        return False

    def passed_over(self) -> Collection[Case]:
        """The cases that the minutes of this run left out."""
        return () if self.budget is None else self.budget.left

    def shapes(self) -> tuple[Verdict, ...]:
        """The verdicts on the sweeps that this run measured, by the shapes that are expected of them."""
        if self.options.expect not in ("gate", "report"):
            return ()
        workloads = dict.fromkeys(case.workload.name for case in self.planned)
        expected = [shape for name in workloads for shape in self.store.shapes(name, self.header.where)]
        planned = {case.cell for case in self.planned}
        measured = [found for found in self.folder.measurements() if found.cell in planned]
        return check_shapes(measured, expected, quiet=self.header.quiet, today=self._today)

    def finish(self, verdicts: Sequence[Verdict] = (), *, interrupted: bool = False) -> None:
        """Write the tables and, if asked to and nothing was left out, record the figures as expectations.

        ``verdicts`` are those on the run as a whole.
        """
        from suite.report.tradeoffs import write  # loads pandas

        self._take_back()
        self.verdicts += verdicts
        self.folder.append(*verdicts)
        self.end(whole=not interrupted)
        write(self.folder)
        point_latest(self.options.reports_dir, self.folder.path.name)
        if self.options.history:
            self.remembered = self._remembered()
        if self.options.expect == "record":
            self.recorded = record(
                self.folder.measurements(), header=self.header, directory=self.options.expect_dir,
                partial=interrupted or bool(self.left_out()),
            )  # fmt: skip

    def end(self, code: int | None = None, *, whole: bool = True) -> None:
        """Write the run's last record, with the exit code once it is decided."""
        groups = sum(len(found) for found in self.planned.values())
        self.folder.append(RunEnd(groups=groups, done=len(self.done), whole=whole, code=code))

    def _remembered(self) -> str:
        """Add to the history; where that fails, no figure and no exit code depends on it."""
        from suite.report.history.file import remember

        try:
            path, added = remember(self.folder, self.options.reports_dir)
        except ResultsError as error:
            return str(error)
        return f"history: {added} figures added to {path}"

    def left_out(self) -> list[tuple[Case, Group]]:
        """What was planned and neither measured nor found unavailable."""
        return [
            (case, group) for case, groups in self.planned.items() for group in groups if (case, group) not in self.done
        ]

    def release(self, case: Case, following: Case | None) -> None:
        """Free what no later case needs."""
        self.bench.release(case, following)

    def keep(self, cell: object, name: str, columns: Mapping[str, np.ndarray]) -> str:
        """Keep raw samples in the run's folder; returns the name they are kept under."""
        kept = f"{cell}-{name}"
        self.folder.write_samples(kept, columns)
        return kept

    # -- verdicts and the exit code -----------------------------------------------------------------------------

    def fails(self, verdict: Verdict) -> bool:
        """Whether a verdict fails this run."""
        return decide.failing(verdict, self.options)

    def exit_code(self) -> int:
        """0; 1 if something failed; 10 if something is inconclusive that must not be, or the run as a whole is; 12 if
        every cell is unavailable.
        """
        if self.options.gates and {verdict.kind for verdict in self.verdicts} == {VerdictKind.UNAVAILABLE}:
            return EXIT_NOTHING  # nothing could run here, so nothing was gated
        failed = {verdict.kind for verdict in self.verdicts if self.fails(verdict)}
        if failed - {VerdictKind.INCONCLUSIVE}:
            return EXIT_FAILED
        return EXIT_INCONCLUSIVE if failed or self.doubt() else EXIT_PASS

    def doubt(self) -> str:
        """Why this run as a whole does not count as a gate, whatever its single figures say; empty where it does."""
        wanted = self.options.inconclusive
        if not self.options.gates or wanted == "report":
            return ""
        gated = [verdict for verdict in self.verdicts if decide.gates_tier(verdict, self.options)]
        return slowed(gated) or arm_doubt(self.arms) or ("" if wanted == "fail" else saw_too_little(gated))

    # -- commands to type ---------------------------------------------------------------------------------------

    def rerun(self, verdict: Verdict) -> str:
        """The command that measures a verdict's cell again, or that accepts its figure."""
        if verdict.kind is VerdictKind.IMPROVED:
            return self.record_command(str(verdict.cell), "--anew")  # or the slower past would keep its bound
        if verdict.kind is VerdictKind.UNVERIFIED:
            return self.record_command(str(verdict.cell))
        return shlex.join(["suite", "bench", *self._cell_arguments(verdict), *self._same_arguments()])

    def record_command(self, cell: str | None = None, *how: str) -> str:
        """The command that stores figures of this run: a cell's, or all, by default those without an expectation."""
        which = [*(how or ["--new"])] if cell is None else ["--only", cell, *how]
        return shlex.join(["suite", "record", str(self.folder.path), *which, *self._expect_dir()])

    def _cell_arguments(self, verdict: Verdict) -> list[str]:
        cell = verdict.cell
        named = [argument for name in verdict.sweep or (cell.technique,) for argument in ("--technique", name)]
        return ["--workload", cell.workload, *named, "--device", cell.device]

    def _same_arguments(self) -> list[str]:
        """The options that make a run comparable with this one."""
        plan, options = self.bench.plan, self.options
        found = [argument for module in options.load for argument in ("--load", module)]
        found += ["--quick"] if plan.profile == "quick" else []
        usual = plan.seeds == DEFAULT_SEEDS and (plan.few or plan.profile != "default")
        found += [] if usual else ["--seeds", str(plan.seeds)]
        found += [] if plan.processes == 1 else ["--processes", str(plan.processes)]
        on_cpu = self.header.where.device.startswith("cpu")
        found += [] if quiet.threads() == 1 or not on_cpu else ["--threads", str(quiet.threads())]
        found += [] if plan.memory_cap is None else ["--edge", "--memory", f"{plan.memory_cap}B"]
        for tier in options.gate_tiers if len(options.gate_tiers) < len(Options.gate_tiers) else ():
            found += ["--gate-tier", tier]
        found += [] if options.reports_dir == Options.reports_dir else ["--reports-dir", str(options.reports_dir)]
        return [*found, *self._expect_dir()]

    def _expect_dir(self) -> list[str]:
        elsewhere = self.options.expect_dir != Options.expect_dir
        return ["--expect-dir", str(self.options.expect_dir)] if elsewhere else []

    # -- measuring ----------------------------------------------------------------------------------------------

    def _measured(self, case: Case, group: Group) -> tuple[list[Measurement], list[CellFailure]]:
        self.bench.samples = {}
        measurements, failures = self._measure(case, group)
        self.folder.append(*measurements, *failures)
        return measurements, failures

    def _measure(self, case: Case, group: Group) -> tuple[list[Measurement], list[CellFailure]]:
        known = self.broken.get(case.workload.name) or self._failed.get(case)
        if known:
            return [], [CellFailure(cell=case.cell, group=group, kind="error", reason=known)]
        try:
            with tolerant_of_warnings():
                found = self.bench.measure(case, group, self._bounds(case))
                if group == "speed":
                    check_suite()
                return found, []
        except UnavailableError as error:
            known = self._known_to_run(case) if isinstance(error, IncapableError) else ""
            kind: Literal["unavailable", "error"] = "error" if known else "unavailable"
            return [], [CellFailure(cell=case.cell, group=group, kind=kind, reason=f"{error}{known}")]
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001  # anything, sys.exit() too; the other cells go on
            self._failed[case] = reason = explain(error)
            return [], [CellFailure(cell=case.cell, group=group, kind="error", reason=reason)]

    def _known_to_run(self, case: Case) -> str:
        """Where it is stored that the cell was measured, if a gate looks: what worked and fails now is no limit."""
        entries = [entry for entry in self._of_case(case) if not entry.retired] if self.options.gates else []
        return f"; it was measured before: {entries[0].path}:{entries[0].line}" if entries else ""

    def _resumed(self, case: Case, group: Group) -> tuple[list[Measurement], list[CellFailure]] | None:
        """What the resumed run measured of this group; it is judged again, since bounds may have changed."""
        self.bench.samples = {}
        found = [m for m in self._before if m.cell == case.cell and m.group == group]
        return (found, []) if found else None

    @cached_property
    def _before(self) -> Sequence[Measurement]:
        """What the resumed run measured; half a group is measured again."""
        if self.options.resume is None:
            return ()
        half = incomplete(self.folder)
        return [found for found in self.folder.measurements() if (found.cell, found.group) not in half]

    # -- judging ------------------------------------------------------------------------------------------------

    def _judged(
        self, case: Case, group: Group, measurements: Sequence[Measurement], failures: Sequence[CellFailure]
    ) -> list[Verdict]:
        where = self.header.where
        judged = self.options.expect in ("gate", "report")
        cell, expectations = case.cell, self._of_case(case) if judged else []
        verdicts = check(
            measurements=measurements, failures=failures, expectations=expectations, where=where,
            planned={cell: (group,)}, fresh_processes=self.bench.plan.fresh, quiet=self.header.quiet,
            near=lambda m: self.store.near(m.cell.workload, m.cell.technique, m.metric, where), today=self._today,
            timings=self._timings,
        )  # fmt: skip
        shown = [v for v in verdicts if judged or v.kind in (VerdictKind.ERROR, VerdictKind.UNAVAILABLE)]
        return [noting(v, REUSED) if v.measurement is not None and v.measurement.reused else v for v in shown]

    def _repeated(self, case: Case, group: Group, verdicts: list[Verdict]) -> list[Verdict]:
        """The verdicts of a gate, after fresh processes were asked for timings that have regressed."""
        if not self.options.gates:
            return verdicts
        return Confirmation(
            repeat=lambda: self.bench.repeat(case, self._bounds(case)),
            judged=lambda found: self._judged(case, group, found, []),
            limit=lambda entry: bar(entry, self._timings),
            replaces_suspect=self.bench.plan.fresh and self.header.quiet,
        ).settled(verdicts)

    def _trusted(self, verdict: Verdict) -> Verdict:
        """No timing fails a run whose own copies of the baseline differ, or whose arms are not timed alike."""
        decided = is_paired(verdict.metric) and verdict.kind in DECIDED
        doubt = run_doubt(self.nulls) or arm_doubt(self.arms) if decided else ""
        return replace(noting(verdict, doubt), kind=VerdictKind.INCONCLUSIVE) if doubt else verdict

    def _take_back(self) -> None:
        """Timings that failed before enough null arms were known to doubt the run fail it no more."""
        failed, before = self._failing(), self.verdicts
        self.verdicts = [self._trusted(verdict) for verdict in before]
        self.folder.append(*(new for old, new in zip(before, self.verdicts, strict=True) if new is not old))
        self.taken_back = len(failed - self._failing())

    def _failing(self) -> set[tuple[Cell, Group]]:
        return {(verdict.cell, verdict.group) for verdict in self.verdicts if self.fails(verdict)}

    def _keep_duration(self, case: Case, group: Group, seconds: float) -> None:
        """What later runs are planned by."""
        reuse = self.options.reuse is not None
        self.folder.append(Duration(cell=case.cell, group=group, seconds=seconds, reuse=reuse))

    def _kept(self, case: Case, group: Group, verdicts: list[Verdict], metrics: int) -> list[Verdict]:
        self.folder.append(*verdicts, GroupEnd(cell=case.cell, group=group, metrics=metrics))
        self.verdicts += verdicts
        self.done.add((case, group))
        return verdicts

    def _of_case(self, case: Case) -> list[Expectation]:
        """What is expected of a case here."""
        found = self.store.find(case.workload.name, self.header.where)
        return [entry for entry in found if entry.technique == case.cell.technique]

    def _bounds(self, case: Case) -> Bounds:
        """What the figures of a case are to be told from; a quick run keeps to its time instead."""
        if not self.options.gates or not self.bench.plan.fresh:
            return {}
        entries = [entry for entry in self._of_case(case) if not entry.retired]
        bounds = {entry.metric: (entry.low, bar(entry, self._timings), entry.high) for entry in entries}
        return {
            metric: tuple(sorted({bound for bound in found if bound is not None})) for metric, found in bounds.items()
        }

    @cached_property
    def _timings(self) -> int:
        """How many ratios of times this run is to judge: all of them together may err once in 200 runs."""
        timed = (case for case, groups in self.planned.items() if "speed" in groups)
        return sum(is_paired(e.metric) and not e.retired for case in timed for e in self._of_case(case))

    @cached_property
    def _today(self) -> date:
        return datetime.now(UTC).date()
