"""The command `suite compare`: this checkout against another version, taking turns on one core."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
import tempfile
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from suite.cli.command import CODE, Command
from suite.core.errors import UnavailableError, UsageError
from suite.core.machine import core, quiet
from suite.registry import REGISTRY

if TYPE_CHECKING:
    from suite.bench.resolved_cell import Case
    from suite.compare.attribution import Blame
    from suite.compare.instructions import Counter
    from suite.compare.measure import Compared, ComparisonPlan, PairedSides
    from suite.compare.sides import Side
    from suite.core.records import Verdict as VerdictRecord

LEAST_PAIRS = 2
EXAMPLE = "as in origin/main, ../other-checkout or 'torch==2.14.*'"


def add(parser: argparse.ArgumentParser) -> None:
    """Options of `suite compare`."""
    parser.description = (
        "The same cells under this checkout and another version: pairs of processes take turns on one core. No stored "
        "value is used. Exit code 1 if the current code is slower, larger or broken."
    )
    option = parser.add_argument
    option("reference", help=f"a git reference, a folder or a requirement, {EXAMPLE}")
    option("--env", metavar="REQUIREMENT", help="the reference runs where this is installed, like 'torch==2.14.*'")
    option("--workload", action="append", default=[], help="this workload only (repeatable)")
    option("--technique", action="append", default=[], help="this composition (repeatable; default: baseline)")
    option("--runtime", metavar="NAME", help="served by this runtime, like onnxruntime; answers fail beyond 1%%")
    option("--device", default="cpu", help="cpu, gpu, cuda:1, ... (default cpu)")
    option("--training", action="store_true", help="time (or count) a training step too")
    option("--count", action="store_true", help="count the work of both sides instead of timing it: any runner will do")
    option("--no-instructions", action="store_true", help="with --count: no instructions, which valgrind counts")
    option("--cache-sim", action="store_true", help="with --count: estimate cycles from simulated caches; no gate")
    option("--time", action="store_true", help="with --count: time both sides too")
    option("--trained", action="store_true", help="train the current code's network first (default: seeded weights)")
    option("--pairs", type=int, default=8, help="pairs of processes in a set (default 8)")
    option("--forks", type=int, default=6, help="children that each process of a pair forks, if it can (default 6)")
    option("--budget", type=float, default=16.0, help="seconds of timing for each metric and set (default 16)")
    option("--margin", type=_share, default=0.02, help="slowdown that a pass has to exclude (default 2%%)")
    option("--allow", type=_share, default=0.0, help="slowdown that is no regression (default 0%%)")
    option(
        "--sizes",
        choices=("gate", "report"),
        default="gate",
        help="whether more parameters, bytes or counted work fail",
    )
    option("--outputs", type=float, metavar="TOLERANCE", help="fail if outputs differ by more, relative to the largest")
    option("--inconclusive", choices=("report", "fail"), default="report", help="exit code 10 if undecided")
    option("--load", action="append", default=[], help="module or .py file of both sides to load (repeatable)")
    option("--markdown", type=Path, metavar="FILE", help="append the table (in GitHub Actions: to the step's summary)")
    option("--reports-dir", type=Path, default=Path("reports"))
    option("--cache-dir", type=Path, help="where checkouts and environments are kept (default: the user's cache)")
    parser.set_defaults(run=_compare)


def _share(text: str) -> float:
    """A share from ``2%`` or ``0.02``."""
    try:
        value = float(text[:-1]) / 100 if text.endswith("%") else float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not between 0% and 100%; write a value like 2% or 0.02")
    return value


def _compare(parsed: argparse.Namespace, _: Sequence[str]) -> int:
    from suite.bench.selection import named
    from suite.compare import outputs, sides, upgrades
    from suite.compare.instructions import Counter
    from suite.report.results.folder import dated_folder

    plan = _plan(parsed)
    outputs.check_writable("--reports-dir", parsed.reports_dir)
    if parsed.markdown is not None:
        outputs.check_writable("--markdown", parsed.markdown.parent, parsed.markdown)
    cache = (parsed.cache_dir or sides.default_cache()).absolute()
    here = sides.current(Path.cwd())
    techniques = upgrades.served_by(parsed.runtime, parsed.technique)
    cases = named(REGISTRY, device=parsed.device, workloads=parsed.workload, techniques=techniques, load=parsed.load)
    upgrades.check_runtime(parsed.runtime, cases, REGISTRY)
    reference = sides.other(parsed.reference, here, cache=cache)
    old = reference if parsed.env is None else sides.in_environment(reference, parsed.env, cache=cache)
    for note in (*here.notes, *old.notes):
        print(note)
    plan = _with_instructions(plan, cases[0].cell.device)
    folder = dated_folder(parsed.reports_dir, "compare", cases[0].cell.device)
    on_host = cases[0].cell.device == "cpu"
    shared = not on_host or quiet.threads() > 1  # nothing is pinned then
    with nullcontext() if shared else core.aside(), tempfile.TemporaryDirectory(prefix="suite-") as scratch:
        plan = replace(plan, doubt=_doubt() if on_host else None)
        bench = _bench(here, old, Path(scratch), folder)
        bench.log({"command": shlex.join(["suite", *sys.argv[1:]]), "current": str(here), "reference": str(old)})
        with Counter(bench, caches=plan.caches) if plan.instructions else nullcontext() as counter:
            found = [_one(case, parsed, bench, plan, counter) for case in cases]
        return _report(parsed, found, bench, plan, folder, code=reference)


def _with_instructions(plan: ComparisonPlan, device: str) -> ComparisonPlan:
    """Without instructions where they cannot be counted, which is told once."""
    from suite.measure.counting import instructions

    if not plan.instructions:
        return plan
    try:
        instructions.check_available(device)
    except UnavailableError as error:
        print(error)
        return replace(plan, instructions=False)
    return plan


def _doubt() -> str | None:
    """Why the processes of this run cannot be timed, like other runs that hold all cores."""
    found, reason = quiet.is_quiet(quiet.environment(os.environ, threads=quiet.threads(), accelerator=False))
    return None if found else reason


def _plan(parsed: argparse.Namespace) -> ComparisonPlan:
    from suite.compare import upgrades
    from suite.compare.judge import Rules
    from suite.compare.measure import ComparisonPlan

    if parsed.pairs < LEAST_PAIRS or parsed.forks < 1 or not parsed.budget > 0:
        given = f"{parsed.pairs}, {parsed.forks} and {parsed.budget:g}"
        least = f"--pairs must be at least {LEAST_PAIRS}, --forks at least 1 and --budget above 0"
        raise UsageError(f"{least}, got {given}")
    return ComparisonPlan(
        pairs=parsed.pairs, forks=parsed.forks, budget=parsed.budget,
        rules=Rules(margin=parsed.margin, allow=parsed.allow), gates_sizes=parsed.sizes == "gate",
        tolerance=upgrades.tolerance(parsed.runtime, parsed.outputs), counts=_counts(parsed),
        instructions=parsed.count and not parsed.no_instructions, caches=parsed.cache_sim,
    )  # fmt: skip


def _counts(parsed: argparse.Namespace) -> Literal["none", "served", "training"]:
    if parsed.time and not parsed.count:
        raise UsageError("--time goes with --count, which leaves the timings out; without it both sides are timed")
    if parsed.cache_sim and (not parsed.count or parsed.no_instructions):
        raise UsageError("--cache-sim goes with --count and without --no-instructions: valgrind simulates the caches")
    if not parsed.count:
        return "none"
    return "training" if parsed.training else "served"


def _bench(current: Side, reference: Side, scratch: Path, folder: Path) -> PairedSides:
    from suite.compare.measure import PairedSides, append_to

    return PairedSides(current=current, reference=reference, folder=scratch, log=append_to(folder / "compare.jsonl"))


def _one(
    case: Case, parsed: argparse.Namespace, bench: PairedSides, plan: ComparisonPlan, counter: Counter | None
) -> Compared:
    from suite.compare.measure import compare_cell
    from suite.compare.protocol import SideRequest
    from suite.registry.modules import of_users

    sys.stderr.write(f"{case}\n")
    request = SideRequest(
        workload=case.cell.workload, technique=case.cell.technique, device=case.cell.device, batch=case.batch,
        load=tuple(parsed.load), trains=parsed.trained,
    )  # fmt: skip
    trains = parsed.training and case.trains_differently
    metrics = ["speed", *(["speed_b1"] if case.batch > 1 else []), *(["train_step"] if trains else [])]
    if parsed.count:
        metrics = metrics if parsed.time else []
        plan = plan if trains else replace(plan, counts="served")
    found = compare_cell(str(case), request, metrics, bench=bench, plan=plan, counter=counter)
    found.users = bool(of_users([case.workload.recipe]))
    return found


def _report(
    parsed: argparse.Namespace,
    found: Sequence[Compared],
    bench: PairedSides,
    plan: ComparisonPlan,
    folder: Path,
    *,
    code: Side,
) -> int:
    """Judge, attribute regressions if code and environment changed, print and keep the table."""
    from suite.compare import outputs, table
    from suite.compare.records import as_records
    from suite.report import github
    from suite.report.results.lines import encode

    verdicts = table.judged(found, plan.rules)
    lines = table.remarks(found, verdicts, plan.rules)
    if parsed.env is not None and "regressed" in verdicts:
        both_old, code_old = bench.reference, replace(code, name="old code")
        env_old = replace(bench.current, name="old environment", python=both_old.python)
        lines += table.blame_lines(
            _blames(found, verdicts, bench, plan, code=code_old, environment=env_old), plan.rules
        )
    rows = table.rows(found, verdicts)
    title = f"{bench.current.root.name} against {bench.reference.name}"
    for line in (*table.plain(rows), *lines, str(folder / "compare.md")):
        print(line)
    written = table.markdown(rows, lines, title=title)
    for path in (folder / "compare.md", parsed.markdown or github.step_summary(os.environ)):
        outputs.append(written, path)
    judged = as_records(found, verdicts, plan.rules)
    _tell_reviewers(judged, folder, title)
    bench.log({
        "rows": rows, "remarks": lines, "timings": table.figures(found, verdicts),
        "verdicts": [json.loads(encode(verdict)) for verdict in judged],
    })  # fmt: skip
    return table.exit_code(rows, found, inconclusive=parsed.inconclusive)


def _tell_reviewers(judged: Sequence[VerdictRecord], folder: Path, title: str) -> None:
    """Write the comment for a pull request; in a step of GitHub Actions its annotations, too."""
    from suite.compare import outputs, table
    from suite.report import github
    from suite.report.comment import CommentPart, comment

    outputs.append(comment([CommentPart(about=title, verdicts=judged)], subject="compare"), folder / "comment.md")
    if github.here(os.environ):
        for line in github.commands(judged, fails=lambda verdict: verdict.kind in table.FAILING, root=Path.cwd()):
            print(line)


def _blames(
    found: Sequence[Compared],
    verdicts: Sequence[str],
    bench: PairedSides,
    plan: ComparisonPlan,
    *,
    code: Side,
    environment: Side,
) -> list[Blame]:
    from suite.compare.attribution import Blame, effect
    from suite.compare.measure import one_set

    waiting = iter(verdicts)
    slower = [(one, t.metric) for one in found for t in one.timings if next(waiting) == "regressed"]
    return [
        Blame(
            cell=one.cell, metric=metric,
            code=effect(one_set(one, metric, bench=replace(bench, reference=code), plan=plan)),
            environment=effect(one_set(one, metric, bench=replace(bench, reference=environment), plan=plan)),
        )
        for one, metric in slower
    ]  # fmt: skip


COMMANDS = (
    Command(
        name="compare",
        help="compare this code with another version, without stored values",
        add=add,
        example="suite compare origin/main --workload digits_cnn",
        section=CODE,
        rank=14,
    ),
)
