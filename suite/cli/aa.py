"""The command `suite aa`: the same cells in several quiet processes, to know the noise of their speed."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from suite.cli.command import TRUST, Command
from suite.core.errors import UsageError
from suite.core.exit_codes import EXIT_PASS
from suite.core.machine import core
from suite.core.metrics import is_paired
from suite.registry import REGISTRY

if TYPE_CHECKING:
    from suite.analysis.aa.figures import NoiseMetrics
    from suite.bench.resolved_cell import Case, Part
    from suite.bench.trained_store import TrainedStore
    from suite.bench.workers.fresh_processes import Workers
    from suite.core.records import Measurement

LEAST = 4  # processes


def add(parser: argparse.ArgumentParser) -> None:
    """Options of `suite aa`."""
    parser.description = (
        "Measure the same cells again and again on unchanged code, each time in a quiet process of its own: the noise "
        "within and between processes, the gate's false alarms, and its minimum detectable effect at 99 % power."
    )
    option = parser.add_argument
    option("--workload", action="append", default=[], help="this workload only (repeatable)")
    option("--technique", action="append", default=[], help="this composition (repeatable; default: baseline)")
    option("--device", default="cpu", help="cpu, gpu, cuda:1, ... (default cpu)")
    option("--processes", type=int, default=5, help="quiet processes a cell (default 5)")
    option("--seconds", type=float, default=4.0, help="seconds of a sample (default 4, as in a run)")
    option("--training", action="store_true", help="time a training step too, if the technique has its own")
    option("--load", action="append", default=[], help="module or .py file to load (repeatable)")
    option("--store", action="store_true", help="add the noise to this machine's stored expectations")
    option("--expect-dir", type=Path, help="where they are (default: the nearest folder expectations, upwards)")
    option("--reports-dir", type=Path, default=Path("reports"))
    parser.set_defaults(run=_run)


def _run(parsed: argparse.Namespace, _: Sequence[str]) -> int:
    from suite.bench.opening import data_digests
    from suite.bench.selection import named
    from suite.bench.trained_store import TrainedStore
    from suite.bench.workers.fresh_processes import Workers
    from suite.gate import load_all
    from suite.registry.settings import found_expect_dir
    from suite.report.results.folder import dated_folder
    from suite.training.devices import select_device

    if parsed.processes < LEAST or not parsed.seconds > 0:
        raise UsageError(
            f"--processes must be at least {LEAST} and --seconds above 0, got {parsed.processes} and {parsed.seconds:g}"
        )
    cases = named(
        REGISTRY, device=parsed.device, workloads=parsed.workload, techniques=parsed.technique, load=parsed.load
    )
    if parsed.store:
        load_all(parsed.expect_dir or found_expect_dir())  # a malformed file is found before anything is measured
    if cases[0].cell.device == "cpu" and hasattr(os, "sched_getaffinity"):
        core.choose()  # the workers find it in their environment
    select_device(cases[0].cell.device)
    store, workers = TrainedStore(registry=REGISTRY, device=cases[0].cell.device), Workers(load=tuple(parsed.load))
    folder = dated_folder(parsed.reports_dir, "aa", cases[0].cell.device)
    try:
        found = [_measured(case, parsed, store, workers, folder) for case in cases]
    finally:
        workers.close()
    _show([one for rows in found for one in summaries(rows)], folder)
    if parsed.store:
        _store(found, parsed, folder, data_digests([case.workload for case in cases])[0])
    return EXIT_PASS


def _measured(
    case: Case, parsed: argparse.Namespace, store: TrainedStore, workers: Workers, folder: Path
) -> list[dict[str, Measurement]]:
    """One cell: trained once, timed in each process; returns every process's figures, which are kept as they are."""
    from suite.bench.workers.protocol import FIRST_SEED, Speed
    from suite.measure.speed import SamplingBudget

    sys.stderr.write(f"{case}\n")
    base, technique = (store.get(case.workload, one, 0) for one in (REGISTRY.baseline, case.composition))
    budget = SamplingBudget(batch=parsed.seconds, single=parsed.seconds / 2, latency=0.2, training=parsed.seconds)
    parts: tuple[Part, ...] = case.timeable if parsed.training else ("inference",)
    found = workers.speed(
        case, base, technique, Speed(budget=budget, parts=parts, seed=FIRST_SEED), processes=parsed.processes
    )
    with (folder / "aa.jsonl").open("a", encoding="utf-8") as file:
        for rows in found:
            kept = {name: [one.value, one.low, one.high, one.suspect] for name, one in rows.items()}
            file.write(json.dumps({"cell": str(case), "figures": kept}) + "\n")
    for said in doubts(found):
        sys.stderr.write(f"{said}\n")
    return found


def doubts(found: Sequence[Mapping[str, Measurement]]) -> list[str]:
    """Which processes are left out of a metric, and why."""
    return [
        f"{one.metric}: process {k} does not count: {one.suspect}"
        for k, rows in enumerate(found, 1)
        for one in rows.values()
        if one.suspect and is_paired(one.metric)
    ]


def summaries(found: Sequence[Mapping[str, Measurement]]) -> list[NoiseMetrics]:
    """The figures of every ratio of times that all processes measured and none doubts."""
    from suite.analysis.aa.figures import figures, trusted

    return [figures(rows) for rows in trusted(found)]


def _show(found: Sequence[NoiseMetrics], folder: Path) -> None:
    from suite.analysis.aa import table

    text = table.markdown(found)
    said = f"Regressed before any repeat: {table.alarms(found)}." if found else "Too few processes can be trusted."
    text += f"\n{said}\n"
    (folder / "aa.md").write_text(text, "utf-8")
    (folder / "aa.csv").write_text(table.comma_separated(found), "utf-8")
    sys.stdout.write(f"{text}{folder / 'aa.md'}\n")


def _store(
    found: Sequence[Sequence[Mapping[str, Measurement]]],
    parsed: argparse.Namespace,
    folder: Path,
    digests: Mapping[str, str],
) -> None:
    """Keep the noise with the expectations, and say what changed or why nothing did."""
    from suite.analysis.aa import stored
    from suite.registry.settings import found_expect_dir

    ratios = [one for processes in found for one in stored.ratios(processes)]
    if not ratios:
        sys.stdout.write("nothing to store: too few processes can be trusted\n")
        return
    directory = parsed.expect_dir or found_expect_dir()
    written = stored.store(ratios, directory, run=folder.name, processes=parsed.processes, digests=digests)
    for said in written.skipped:
        sys.stdout.write(f"not stored: {said}\n")
    sys.stdout.write(f"{written.updated} entries know this run's noise, in {directory}\n")


HELP = "timing noise on unchanged code, and the gate's minimum detectable effect"
COMMANDS = (
    Command(
        name="aa",
        help=HELP,
        add=add,
        example="suite aa --workload digits_cnn --processes 5",
        section=TRUST,
        rank=17,
    ),
)
