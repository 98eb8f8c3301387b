"""One bench run: cells in, records, verdicts and a report out. Knows nothing of pytest."""

from __future__ import annotations

import importlib
import shlex
import traceback
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from suite import phases
from suite.composition import BASELINE
from suite.errors import ExpectationFileError, SetupError, SuiteError, UnavailableError, UsageError
from suite.expect import Recorded, Store, check, fails, load_all, record
from suite.machine import quiet
from suite.records import (
    TIERS,
    Cell,
    CellFailure,
    Expectation,
    Group,
    Measurement,
    RunHeader,
    Tier,
    Verdict,
    VerdictKind,
    Where,
)
from suite.report.run import RunFolder, point_latest, run_name
from suite.settings import shipped_expectations

if TYPE_CHECKING:
    import numpy as np

    from suite.registry import Registry
    from suite.run.bench import Bench, Plan
    from suite.run.store import Reporter

Expect = Literal["gate", "report", "record", "off"]
Policy = Literal["report", "fail"]
EXPECT = ("gate", "report", "record", "off")

DEFAULT_SEEDS = 5
COMMAND = "SUITE_COMMAND"  # environment variable: the command line that started this process
EXIT_PASS, EXIT_FAILED, EXIT_INCONCLUSIVE, EXIT_UNUSABLE = 0, 1, 10, 11


HEAVY = ("pandas", "pyarrow.parquet", "scipy.stats", "torch._dynamo", "torch.profiler", "torch.utils.flop_counter")


@dataclass(frozen=True, kw_only=True)
class Options:
    """How a run treats its figures and where it keeps them."""

    expect: Expect = "gate"
    expect_dir: Path = Path("expectations")
    unverified: Policy = "report"
    inconclusive: Policy = "report"
    reports_dir: Path = Path("reports")
    command: str = ""
    resume: Path | None = None
    load: tuple[str, ...] = ()
    """Modules that the user named on the command line."""
    gate_tiers: tuple[Tier, ...] = TIERS
    """Only figures of these tiers can fail a gate; the others are judged and reported."""

    @property
    def gates(self) -> bool:
        return self.expect == "gate"


@dataclass(kw_only=True)
class Session:
    """Measures groups of cells on demand, keeps every figure as it comes, and judges it."""

    options: Options
    header: RunHeader
    folder: RunFolder
    bench: Bench
    store: Store
    verdicts: list[Verdict] = field(default_factory=list)
    recorded: Recorded | None = None
    _broken: dict[Cell, str] = field(default_factory=dict)

    def run(self, cell: Cell, group: Group) -> list[Verdict]:
        """Measure one group of a cell (or take it from the run that is resumed) and judge it."""
        self.bench.samples = {}
        measurements = self._resumed(cell, group)
        failures: list[CellFailure] = []
        if not measurements:
            measurements, failures = self._measure(cell, group)
            self.folder.append(*measurements, *failures)
        verdicts = self._judge(cell, group, measurements, failures)
        self.folder.append(*verdicts)
        self.verdicts += verdicts
        return verdicts

    def release(self, cell: Cell, following: Cell | None) -> None:
        """Free what no later cell needs."""
        self.bench.release(cell, following)

    def fails(self, verdict: Verdict) -> bool:
        """Whether a verdict fails this run."""
        if self.options.expect != "gate" or not self._gates_tier(verdict):
            return verdict.kind is VerdictKind.ERROR
        return fails(verdict, unverified=self.options.unverified, inconclusive=self.options.inconclusive)

    def _gates_tier(self, verdict: Verdict) -> bool:
        bound = verdict.expectation or verdict.measurement
        return bound is None or bound.tier in self.options.gate_tiers

    def exit_code(self) -> int:
        """0; 1 if something failed; 10 if all that failed is inconclusive; 11 if every cell is unavailable."""
        if self.options.gates and {verdict.kind for verdict in self.verdicts} == {VerdictKind.UNAVAILABLE}:
            return EXIT_UNUSABLE  # nothing could run here, so nothing was gated
        failed = {verdict.kind for verdict in self.verdicts if self.fails(verdict)}
        if not failed:
            return EXIT_PASS
        return EXIT_INCONCLUSIVE if failed == {VerdictKind.INCONCLUSIVE} else EXIT_FAILED

    def finish(self) -> None:
        """Write the tables and, if asked to, record the figures as expectations."""
        from suite.report.tradeoffs import write  # loads pandas

        write(self.folder)
        point_latest(self.options.reports_dir, self.folder.path.name)
        if self.options.expect == "record":
            self.recorded = record(self.folder.measurements(), header=self.header, directory=self.options.expect_dir)

    def rerun(self, verdict: Verdict) -> str:
        """The command that measures a verdict's cell again, or that accepts its figure."""
        cell = verdict.cell
        if verdict.kind in (VerdictKind.IMPROVED, VerdictKind.UNVERIFIED):
            return self.record_command(cell)
        again = ["suite", "bench", "--workload", cell.workload, "--technique", cell.technique, "--device", cell.device]
        loads = [argument for module in self.options.load for argument in ("--load", module)]
        quick = ["--quick"] if self.header.profile == "quick" else []
        plan = self.bench.plan
        seeds = [] if plan.seeds == DEFAULT_SEEDS else ["--seeds", str(plan.seeds)]
        threads = [] if quiet.threads() == 1 else ["--threads", str(quiet.threads())]
        return shlex.join([*again, *loads, *quick, *seeds, *threads, *self._expect_dir()])

    def record_command(self, cell: Cell | None = None) -> str:
        """The command that stores figures of this run: a cell's, or all those that have no expectation yet."""
        which = ["--new"] if cell is None else ["--only", str(cell)]
        return shlex.join(["suite", "record", str(self.folder.path), *which, *self._expect_dir()])

    def _expect_dir(self) -> list[str]:
        elsewhere = self.options.expect_dir != Path("expectations")
        return ["--expect-dir", str(self.options.expect_dir)] if elsewhere else []

    # -- measuring ----------------------------------------------------------------------------------------------

    def _measure(self, cell: Cell, group: Group) -> tuple[list[Measurement], list[CellFailure]]:
        if cell in self._broken:
            return [], [CellFailure(cell=cell, group=group, kind="error", reason=self._broken[cell])]
        try:
            with _tolerant_of_warnings():
                return self.bench.measure(cell, group), []
        except UnavailableError as error:
            return [], [CellFailure(cell=cell, group=group, kind="unavailable", reason=str(error))]
        except Exception as error:  # noqa: BLE001  # a technique may raise anything; the other cells go on
            self._broken[cell] = reason = explain(error)
            return [], [CellFailure(cell=cell, group=group, kind="error", reason=reason)]

    def keep(self, cell: Cell, name: str, columns: Mapping[str, np.ndarray]) -> str:
        """Keep raw samples in the run's folder; returns the name they are kept under."""
        kept = f"{cell}-{name}"
        self.folder.write_samples(kept, columns)
        return kept

    # -- judging ------------------------------------------------------------------------------------------------

    def _judge(
        self, cell: Cell, group: Group, measurements: Sequence[Measurement], failures: Sequence[CellFailure]
    ) -> list[Verdict]:
        verdicts = self._check(cell, group, measurements, failures)
        doubtful = {v.metric for v in verdicts if v.kind is VerdictKind.REGRESSED and _is_paired(v)}
        if not doubtful or not self.options.gates:
            return verdicts
        return self._confirm(cell, group, verdicts, doubtful)

    def _confirm(self, cell: Cell, group: Group, verdicts: list[Verdict], doubtful: set[str]) -> list[Verdict]:
        """A paired timing regressed only if a fresh process says so too."""
        try:
            again = self.bench.repeat(cell)
        except Exception as error:  # noqa: BLE001  # what could not be repeated stays regressed
            failed = f"it could not be repeated: {explain(error)}"
            return [replace(v, reason=f"{v.reason}; {failed}") if v.metric in doubtful else v for v in verdicts]
        second = self._check(cell, group, [again[name] for name in doubtful if name in again], [])
        confirmed = {v.metric for v in second if v.kind is VerdictKind.REGRESSED}
        return [self._after_repeat(v, again, confirmed) if v.metric in doubtful else v for v in verdicts]

    def _after_repeat(self, verdict: Verdict, again: Mapping[str, Measurement], confirmed: set[str]) -> Verdict:
        value = again[verdict.metric].value if verdict.metric in again else float("nan")
        if verdict.metric in confirmed:
            return replace(verdict, reason=f"{verdict.reason}; {value:.4g} again in a fresh process".lstrip("; "))
        return _weakened(verdict, f"{value:.4g} in a fresh process does not confirm it")

    def _check(
        self, cell: Cell, group: Group, measurements: Sequence[Measurement], failures: Sequence[CellFailure]
    ) -> list[Verdict]:
        where = self.header.where
        judged = self.options.expect in ("gate", "report")
        expectations = [e for e in self._expectations(cell.workload) if e.technique == cell.technique] if judged else []
        verdicts = check(
            measurements=measurements, failures=failures, expectations=expectations, where=where,
            planned={cell: (group,)}, fresh_processes=self.bench.plan.fresh, quiet=self.header.quiet,
            near=lambda m: self.store.near(m.cell.workload, m.cell.technique, m.metric, where), today=self._today,
        )  # fmt: skip
        return [v for v in verdicts if judged or v.kind in (VerdictKind.ERROR, VerdictKind.UNAVAILABLE)]

    def _expectations(self, workload: str) -> Sequence[Expectation]:
        return self.store.find(workload, self.header.where)

    @cached_property
    def _today(self) -> date:
        return datetime.now(UTC).date()

    def _resumed(self, cell: Cell, group: Group) -> list[Measurement]:
        """What the resumed run measured of this group; it is judged again, since bounds may have changed."""
        return [m for m in self._before if m.cell == cell and m.group == group]

    @cached_property
    def _before(self) -> Sequence[Measurement]:
        return () if self.options.resume is None else self.folder.measurements()


def open_session(
    registry: Registry, options: Options, *, plan: Plan, device: str, workloads: Sequence[str], reporter: Reporter
) -> Session:
    """Prepare a run: check the expectation files, find out where it runs, open its folder.

    Raises `SuiteError` for files that cannot be read and folders that cannot be written.
    """
    from suite.machine.hardware import git_commit, where
    from suite.run.bench import Bench  # loads torch

    phases.reset()
    store = Store([options.expect_dir, shipped_expectations()])
    _check_expectations(registry, options)  # a malformed file is found now, not after an hour
    with phases.phase("imports"):
        found = where(device, data_digests=data_digests(registry, workloads))
    header = RunHeader(
        run=run_name(datetime.now(UTC), device),
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        command=options.command,
        commit=git_commit(Path.cwd()),
        where=found,
        seeds=tuple(plan.seeds_of(BASELINE)),
        profile=plan.profile,
        quiet=quiet.is_quiet()[0],
        load=tuple(registry.user_modules()),
    )
    folder = _folder(options, header)
    with phases.phase("imports"):
        _import_heavy(registry, workloads)
    bench = Bench(registry=registry, device=device, plan=plan, reporter=reporter)
    session = Session(options=options, header=folder.header, folder=folder, bench=bench, store=store)
    bench.keep = session.keep
    return session


def _check_expectations(registry: Registry, options: Options) -> None:
    if options.expect == "off" or not options.expect_dir.is_dir():
        if options.expect in ("gate", "report") and options.expect_dir != Options.expect_dir:
            raise SetupError(f"there is no folder {options.expect_dir}; correct --expect-dir or record into it first")
        return
    check_names(registry, load_all(options.expect_dir))


def check_names(registry: Registry, expectations: Sequence[Expectation]) -> None:
    """Raise `ExpectationFileError` for an entry whose technique is spelled so that no cell would ever look it up."""
    for entry in expectations:
        if entry.workload not in registry.workloads:
            continue  # another project's, or one whose module is not loaded here
        try:
            canonical = registry.canonical(entry.technique)
        except UsageError:
            continue  # likewise
        if canonical != entry.technique:
            raise ExpectationFileError(
                entry.path, entry.line, f"{entry.technique!r} matches no cell; its canonical spelling is {canonical!r}"
            )


def _import_heavy(registry: Registry, workloads: Sequence[str]) -> None:
    """Import now what the run will need anyway (optimizers load torch._dynamo), so that it is counted as imports."""
    for name in HEAVY:
        importlib.import_module(name)
    for name in workloads:
        with suppress(Exception):  # what fails here fails again in its own cell, and is told there
            registry.find_workload(name).recipe(0).data()


def data_digests(registry: Registry, workloads: Sequence[str]) -> dict[str, str]:
    """The digests of the workloads' data, for those that declare one that can be read."""
    found: dict[str, str] = {}
    for name in workloads:
        digest = registry.find_workload(name).digest
        with suppress(Exception):  # data that cannot be read are the cell's error
            found |= {name: digest()} if digest else {}
    return found


def explain(error: BaseException) -> str:
    """An exception in one line: what it says and the last place outside the suite and torch where it was raised."""
    said = f"{type(error).__name__}: {error}".strip().splitlines()[0]
    if _is_out_of_memory(error, said):
        said = f"out of memory ({said}); free memory on the device or use a smaller workload"
    if isinstance(error, SuiteError):
        return str(error)
    frames = [f for f in traceback.extract_tb(error.__traceback__) if "site-packages" not in f.filename]
    return f"{said} [{frames[-1].filename}:{frames[-1].lineno}]" if frames else said


def _is_out_of_memory(error: BaseException, said: str) -> bool:
    named = isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"  # torch's own
    return named or "out of memory" in said.lower() or "can't allocate memory" in said


def _folder(options: Options, header: RunHeader) -> RunFolder:
    if options.resume is None:
        return RunFolder.create(options.reports_dir, header)
    folder = RunFolder.open(options.resume)
    changed = _changes(folder.header, header)
    if changed:
        raise SuiteError(f"{options.resume} cannot be resumed: other {', '.join(changed)}; run again without --resume")
    return folder


@contextmanager
def _tolerant_of_warnings() -> Iterator[None]:
    """A user's ``filterwarnings = error`` is about their code, not about the deprecations of torch's own parts."""
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", FutureWarning)
        yield


def _changes(before: RunHeader, now: RunHeader) -> list[str]:
    """What differs between two runs so that their figures do not belong together."""
    facts = {
        "commit": (before.commit, now.commit),
        "machine, versions or threads": (_hardware(before), _hardware(now)),
        "data": tuple(h.where.data_digests for h in (before, now)),
        "seeds": (before.seeds, now.seeds),
        "profile": (before.profile, now.profile),
        "kind of process (quiet or not)": (before.quiet, now.quiet),
    }
    return [name for name, (old, new) in facts.items() if old != new]


def _hardware(header: RunHeader) -> Where:
    return replace(header.where, data_digests={})


def _is_paired(verdict: Verdict) -> bool:
    from suite.metrics import metric

    return bool(verdict.metric) and metric(verdict.metric).judged == "interval"


def _weakened(verdict: Verdict, reason: str) -> Verdict:
    return replace(verdict, kind=VerdictKind.INCONCLUSIVE, reason=f"{verdict.reason}; {reason}".lstrip("; "))
