"""Open a run: find out where it happens and of what, check the stored expectations, and make or resume its folder."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from suite.bench.explain import explain
from suite.bench.options import Options
from suite.bench.resolved_cell import Case
from suite.bench.run import Run
from suite.core import garbage, phases
from suite.core.composition import BASELINE, parse
from suite.core.errors import ExpectationFileError, ResultsError, SetupError, UnavailableError, UsageError, unknown
from suite.core.machine import quiet
from suite.core.metrics import METRICS
from suite.core.prices import read_prices
from suite.core.records import Expectation, RunHeader, ShapeExpectation, Where
from suite.gate import Store, load_both
from suite.gate.seed_subset import as_known_at
from suite.registry.settings import found_expect_dir, shipped_expectations
from suite.report.results.folder import RunFolder, run_name

if TYPE_CHECKING:
    from suite.bench.bench import Plan
    from suite.bench.trained_store import Reporter
    from suite.registry import Registry, Workload
    from suite.registry.declarations import Technique

HEAVY = ("pandas", "pyarrow.parquet", "scipy.stats", "torch._dynamo", "torch.profiler", "torch.utils.flop_counter")
CODE = "code (sources of the loaded modules or of the suite, or environment variables that they name)"


def open_run(registry: Registry, options: Options, *, plan: Plan, cases: Sequence[Case], reporter: Reporter) -> Run:
    """Prepare a run: check the expectation files, find out where it runs, open its folder.

    Raises `SuiteError` for unreadable files and folders that cannot be written. So it does for a folder that cannot be
    resumed, because its values are of other code, data, machine or options.
    """
    from suite.bench import time_budget, training_cache
    from suite.bench.bench import Bench  # loads torch

    training_cache.check(options)
    time_budget.check(options)
    phases.reset()
    store = Store([options.expect_dir, shipped_expectations()])
    _check_expectations(registry, options)  # a malformed file is found now, not after an hour
    prices = None if options.prices is None else read_prices(options.prices)
    with phases.phase("imports"):
        workloads = list({case.workload.name: case.workload for case in cases}.values())
        digests, broken = data_digests(workloads)
        header = _header(registry, options, plan, cases, digests)
    settled = _settled(store, workloads, header.where) if options.expect in ("gate", "report") else frozenset()
    if all(workload.name in settled for workload in workloads):
        header = replace(header, seeds=tuple(plan.seeds_of(baseline=False)))
    trainings = training_cache.opened(options, header)
    folder = _folder(options, header)
    with phases.phase("imports"):
        _import_heavy()
    stored = {} if options.expect == "off" else _known_batches(store, workloads, header.where)
    bench = Bench(
        registry=registry, device=cases[0].cell.device, plan=plan, reporter=reporter, keep=folder.keep_samples,
        cache=trainings, saturating=stored | _batches_before(options, folder), settled=settled,
    )  # fmt: skip
    return Run(
        options=options, header=folder.header, folder=folder, bench=bench, store=store, broken=broken,
        planned={case: case.groups for case in cases}, prices=prices,
    )  # fmt: skip


def check_names(registry: Registry, expectations: Sequence[Expectation]) -> None:
    """Raise `ExpectationFileError` for an entry whose technique is spelled so that no cell would ever look it up."""
    for entry in expectations:
        if entry.workload not in registry.workloads or entry.retired:
            continue  # another project's, or one whose module is not loaded here
        try:
            canonical = registry.canonical(entry.technique)
        except UsageError:
            continue  # likewise
        if canonical != entry.technique:
            raise ExpectationFileError(
                entry.path, entry.line, f"{entry.technique!r} matches no cell; its canonical spelling is {canonical!r}"
            )


def check_shape_names(registry: Registry, shapes: Sequence[ShapeExpectation]) -> None:
    """Raise `ExpectationFileError` for a shape along a parameter, or with parameters, that its technique lacks."""
    for shape in shapes:
        members = parse(shape.technique)
        if shape.workload not in registry.workloads or any(one.name not in registry.techniques for one in members):
            continue  # another project's, or one whose module is not loaded here
        known = [name for one in members for name in registry.techniques[one.name].parameters]
        full = [f"{one.name}.{name}" for one in members for name in registry.techniques[one.name].parameters]
        given = [name for one in members for name, _ in one.parameters]
        for name, names in ((shape.along, (*known, *full)), *((name, known) for name in given)):
            if name not in names:
                raise ExpectationFileError(
                    shape.path, shape.line, str(unknown(f"parameter of {shape.technique}", name, names))
                )


def data_digests(workloads: Sequence[Workload]) -> tuple[dict[str, str], dict[str, str]]:
    """The digests of the workloads' data, for those that declare one; and why a digest could not be had.

    Data that are not here have none, and are no fault: their cells say that they are unavailable.
    """
    found: dict[str, str] = {}
    broken: dict[str, str] = {}
    for workload in workloads:
        try:
            found |= {workload.name: workload.digest()} if workload.digest else {}
        except UnavailableError:
            continue
        except Exception as error:  # noqa: BLE001  # a user's function may raise anything
            broken[workload.name] = f"the digest of {workload.name} cannot be computed: {explain(error)}"
    return found, broken


def _header(
    registry: Registry, options: Options, plan: Plan, cases: Sequence[Case], digests: Mapping[str, str]
) -> RunHeader:
    from suite.bench.inputs import inputs_of  # loads torch
    from suite.bench.sources import digest
    from suite.core.machine import energy, flags, nvml
    from suite.core.machine.hardware import git_commit, where

    device, load = cases[0].cell.device, tuple(registry.user_modules())
    now = datetime.now(UTC)
    return RunHeader(
        run=run_name(now, device),
        started=now.isoformat(timespec="seconds"),
        command=options.command,
        commit=git_commit(Path.cwd()),
        where=replace(where(device, data_digests=digests), memory_cap=plan.memory_cap),
        seeds=tuple(plan.seeds_of(baseline=True)),
        techniques_seeds=len(plan.seeds_of(baseline=False)),
        profile=plan.profile,
        processes=plan.processes,
        chosen=options.chosen,
        quiet=quiet.is_quiet()[0],
        load=load,
        sources=digest(load),
        flags=flags.read(),
        scores={case.workload.name: tuple(score.name for score in case.workload.scores) for case in cases},
        precisions={
            case.composition.name: case.composition.precision for case in cases if case.composition.precision != "fp32"
        },
        families={technique.name: technique.family for technique in _techniques(cases)},
        runtimes=tuple(technique.name for technique in _techniques(cases) if "runtime" in technique.slots),
        accelerator=nvml.describe(device),
        energy=str(energy.counters_of(device)),
        ceilings=_ceilings(device, measures=plan.fresh and any("speed" in case.groups for case in cases)),
        groups=sum(len(case.groups) for case in cases),
        shard=options.shard,
        inputs=inputs_of(list({case.workload.name: case.workload for case in cases}.values())),
    )


def _ceilings(device: str, *, measures: bool) -> Mapping[str, float]:
    """The machine's best rates, which timings are checked against; a quick run takes those that are known."""
    from suite.measure.ceilings import ceilings, measured_before

    with phases.phase("timing"):
        found = ceilings(device) if measures else measured_before(device)
    return {} if found is None else found.rates()


def _techniques(cases: Sequence[Case]) -> list[Technique]:
    """The techniques of all compositions, each once."""
    return list({technique.name: technique for case in cases for technique, _ in case.composition.members}.values())


def _check_expectations(registry: Registry, options: Options) -> None:
    if options.expect == "off" or not options.expect_dir.is_dir():
        found = (Options.expect_dir, found_expect_dir())  # where the first ones will be written
        if options.expect in ("gate", "report") and options.expect_dir not in found:
            raise SetupError(f"there is no folder {options.expect_dir}; correct --expect-dir or record into it first")
        return
    entries, shapes = load_both(options.expect_dir)
    check_names(registry, entries)
    check_shape_names(registry, shapes)


def _import_heavy() -> None:
    """Import now what the run will need anyway (optimizers load torch._dynamo), so that it is counted as imports."""
    for name in HEAVY:
        importlib.import_module(name)
    garbage.set_aside()


def _known_batches(store: Store, workloads: Sequence[Workload], where: Where) -> dict[str, int]:
    """The saturating batch that stored figures have: a batch searched anew each time would be compared with none."""
    found: dict[str, int] = {}
    for workload in workloads:
        for entry in store.find(workload.name, where):
            batch = entry.conditions.get("batch")
            if entry.metric == "speedup_saturated" and isinstance(batch, int):
                found.setdefault(workload.name, batch)
    return found


def _settled(store: Store, workloads: Sequence[Workload], where: Where) -> frozenset[str]:
    """The workloads whose baseline can be judged by its first seed: this machine has stored all its scores of it."""
    found = {workload.name: list(_baseline_scores(store, workload, where)) for workload in workloads}
    return frozenset(name for name, scores in found.items() if scores and all(0 in one.by_seed for one in scores))


def _baseline_scores(store: Store, workload: Workload, where: Where) -> Iterator[Expectation]:
    for entry in store.find(workload.name, where):
        over_seeds = entry.tier == "portable" and (entry.seeds or 0) > 1
        if entry.technique == BASELINE and over_seeds and entry.metric in METRICS:
            yield as_known_at(where, entry)


def _batches_before(options: Options, folder: RunFolder) -> dict[str, int]:
    """The saturating batch of the figures that a resumed run goes on with."""
    found = [m for m in folder.measurements() if m.metric == "speedup_saturated"] if options.resume else []
    return {m.cell.workload: int(m.conditions["batch"]) for m in found}


def _folder(options: Options, header: RunHeader) -> RunFolder:
    if options.resume is None:
        return RunFolder.create(options.reports_dir, header)
    folder = RunFolder.open(options.resume)
    changed = _changes(folder.header, header)
    if changed:
        raise ResultsError(
            f"{options.resume} cannot be resumed: its values come from other {', '.join(changed)}; run again without "
            "--resume"
        )
    return folder


def _changes(before: RunHeader, now: RunHeader) -> list[str]:
    """What differs between two runs so that their figures do not belong together."""
    facts = {
        CODE: (before.sources, now.sources),
        "commit": (before.commit, now.commit),
        "machine, versions, threads or cap of memory": tuple(replace(h.where, data_digests={}) for h in (before, now)),
        "data": (before.where.data_digests, now.where.data_digests),
        "values of a recipe, data or files that your modules read": (before.inputs, now.inputs),
        "seeds": tuple((h.seeds, before.techniques_seeds and h.techniques_seeds) for h in (before, now)),
        "profile": (before.profile, now.profile),
        "processes": (before.processes, now.processes),
        "workloads, techniques or precision": (before.chosen, now.chosen),
        "cells of a shard": (before.shard, now.shard),
        "settings of torch": (before.flags, now.flags),
        "kind of process (quiet or not)": (before.quiet, now.quiet),
    }
    return [name for name, (old, new) in facts.items() if old != new]
