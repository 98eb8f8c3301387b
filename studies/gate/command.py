"""The command `suite gate-study`: the gate and its peers on planted slowdowns, session after session."""

from __future__ import annotations

import argparse
import math
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from suite.core.errors import SetupError, UsageError

if TYPE_CHECKING:
    from studies.gate.decision_log import DecisionLog, Row

VERSIONS = ("torch", "numpy")  # what the network and the arithmetic of a decision come from


def add(parser: argparse.ArgumentParser) -> None:
    """Options of `suite gate-study`."""
    parser.description = (
        "Plant slowdowns of 0 to 10 % in a small network and ask the gate, pytest-benchmark's mean:5% and min:5% and "
        "asv's rule about them, quiet and with another core busy. Decisions of all sessions on this machine add up."
    )
    option = parser.add_argument
    option(
        "--minutes", type=float, default=10.0, help="how long to take decisions (default 10); 0 only shows the table"
    )
    option("--planted", action="store_true", help="whole bench runs on a user's technique with 3 and 0 %% more work")
    option(
        "--compare", action="store_true", help="whole runs of suite compare: a revision against itself and slower ones"
    )
    option("--count", action="store_true", help="planted faults by structural counts, instructions in fresh processes")
    option("--seconds", type=float, default=4.0, help="the gate's budget for a sample (default 4, as in a run)")
    option("--anew", action="store_true", help="record the bound again; decisions by the earlier one no longer count")
    option("--reports-dir", type=Path, default=Path("reports"))
    parser.set_defaults(run=_run)


def _run(parsed: argparse.Namespace, _: Sequence[str]) -> int:
    from studies.gate.decision_log import DecisionLog
    from suite.core.machine.hardware import machine_key, versions

    if not 0 <= parsed.minutes < math.inf or not 0 < parsed.seconds < math.inf:
        raise UsageError(
            f"--minutes must be at least 0 and --seconds above 0, got {parsed.minutes:g} and {parsed.seconds:g}"
        )
    if not hasattr(os, "sched_getaffinity"):
        raise SetupError("this platform cannot give a process a core of its own, which the study needs; use Linux")
    decision_log = DecisionLog(path=parsed.reports_dir / "gate_study" / f"{machine_key('cpu')}.jsonl")
    known = {name: version for name, version in versions().items() if name in VERSIONS}
    if parsed.planted or parsed.compare or parsed.count:
        return _whole_runs(parsed, decision_log, known)
    bound = _measured(parsed, decision_log, known) if parsed.minutes else decision_log.bound(known)
    rows = decision_log.decisions(bound) if bound else []
    if bound is None or not rows:
        where = f"{decision_log.path} with torch {known.get('torch')}"
        sys.stdout.write(f"no decision in {where} yet; take some: --minutes 10\n")
        return 0
    show(decision_log, rows, bound, _of_whole_runs(decision_log, known))
    return 0


def _whole_runs(parsed: argparse.Namespace, decision_log: DecisionLog, known: dict[str, str]) -> int:
    from studies.gate import bench_runs, compare_runs, counted, structural
    from suite.core.machine.hardware import machine_key

    if parsed.planted:
        bench_runs.run(decision_log, machine=machine_key("cpu"), versions=known, minutes=parsed.minutes)
    if parsed.compare:
        compare_runs.run(decision_log, versions=known, minutes=parsed.minutes)
    if parsed.count and parsed.minutes:
        structural.run(decision_log, versions=known, minutes=parsed.minutes)
        counted.run(decision_log, versions=known, minutes=parsed.minutes)
    sys.stdout.write("\n".join([*_of_whole_runs(decision_log, known), str(decision_log.path), ""]))
    return 0


def _of_whole_runs(decision_log: DecisionLog, known: dict[str, str]) -> list[str]:
    from studies.gate import bench_runs, compare_runs, counted, structural

    return [
        *bench_runs.lines(bench_runs.judgements(decision_log, known)),
        *compare_runs.lines(compare_runs.comparisons(decision_log, known)),
        *structural.lines(structural.counts(decision_log, known)),
        *counted.lines(counted.counts(decision_log, known)),
    ]


def _measured(parsed: argparse.Namespace, decision_log: DecisionLog, known: dict[str, str]) -> Row:
    from studies.gate.session import Study

    seed = 10_000 * len(decision_log.rows())  # each session mixes anew, and could be repeated
    return Study(decision_log=decision_log, versions=known, seconds=parsed.seconds, seed=seed).run(
        parsed.minutes, anew=parsed.anew
    )


def show(decision_log: DecisionLog, rows: Sequence[Row], bound: Row, whole_runs: Sequence[str] = ()) -> None:
    """Print the table and write it, its figures and its picture beside the decisions; last what whole runs said."""
    from studies.gate import plots, table
    from studies.gate.overall import overall

    found, stem = table.counts(rows), decision_log.path
    text = "\n".join([table.markdown(found), *overall(rows), *table.remarks(rows, bound), *whole_runs, ""])
    stem.with_suffix(".md").write_text(text, "utf-8")
    stem.with_suffix(".csv").write_text(table.comma_separated(found), "utf-8")
    written = [stem.with_suffix(suffix) for suffix in (".md", ".csv")]
    written += [plots.draw(found, stem.with_suffix(".png"))] if plots.available() else []
    sys.stdout.write("\n".join([text, *map(str, (stem, *written)), ""]))
