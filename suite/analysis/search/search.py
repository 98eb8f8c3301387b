"""A search from its question to its answer: trials on validation items, the front, the winners on the test."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from time import monotonic
from typing import TYPE_CHECKING, Any

from suite.analysis.search import plots, tables
from suite.analysis.search.final import Final
from suite.analysis.search.objectives import Objectives, parse_objectives
from suite.analysis.search.optimize import MeasuredComposition, Say, SearchLoop, TimeLimit, nearest
from suite.analysis.search.options import SearchOptions
from suite.analysis.search.space import SearchSpace, space
from suite.analysis.search.storage import open_study, require_optuna
from suite.analysis.search.trials import TrialError, Trials, against_baseline
from suite.analysis.search.validation import on_validation
from suite.bench.options import COMMAND
from suite.bench.options import Options as RunOptions
from suite.core.composition import BASELINE
from suite.core.errors import UsageError
from suite.core.metrics import METRICS, VS_CONTROL, WORST_SEED
from suite.core.records import RunHeader
from suite.registry import Registry, Workload

if TYPE_CHECKING:
    from suite.bench.bench import Plan
    from suite.bench.run import Run

FOUND, NOTHING = 0, 1  # exit codes
SEVERAL = 3  # winners of several objectives that are measured again
JOURNAL = "search.journal"  # in the run's folder, where no storage is named


@dataclass(frozen=True, kw_only=True)
class Question:
    """The workload, device, objectives and options of a search, and the function that prints its news.

    ``began`` is when it was asked, in seconds of `time.monotonic`.
    """

    registry: Registry
    options: SearchOptions
    workload: Workload
    device: str
    objectives: Objectives
    say: Say
    began: float = field(default_factory=monotonic)

    def open(self, workload: Workload, plan: Plan) -> Run:
        """A run's folder and a bench for the workload, on validation items or on its own."""
        from suite.bench.opening import open_run

        options = self.options
        run = RunOptions(
            expect="off", reports_dir=Path(options.reports_dir), load=options.load,
            command=os.environ.get(COMMAND, "suite search"), workloads=(workload.name,), chosen=(workload.name,),
        )  # fmt: skip
        first = against_baseline(self.registry, workload, BASELINE, self.device)
        return open_run(self.registry, run, plan=plan, cases=[first], reporter=lambda _workload, _text: None)


def search(registry: Registry, options: SearchOptions, say: Say) -> int:
    """Search, say what was found, and return the exit code: 1 where nothing keeps all bounds.

    Raises `SuiteError` for a question that makes no sense, before anything is trained.
    """
    require_optuna()
    question = read_question(registry, options, say)
    chosen = space(registry, options.technique or _usual(registry), most=options.most)
    loop, folder = _searched(question, chosen)
    found, note = loop.found(), f"{loop.count()}."
    _show(found, question.objectives, folder, note, say)
    best = tables.winners(found, question.objectives)
    if not best:
        say(_nothing(found, question.objectives))
        return NOTHING
    return FOUND if _finish(question, best[: _finalists(question)]) else NOTHING


def _finalists(question: Question) -> int:
    """How many winners are measured again."""
    return question.options.finalists or (1 if len(question.objectives.optimized) == 1 else SEVERAL)


def _limit(question: Question) -> TimeLimit | None:
    """The time of the search, which its winners and their baseline need a part of: a trial for each and each seed."""
    options = question.options
    if options.minutes is None:
        return None
    final = (_finalists(question) + 1) * options.final_seeds
    return TimeLimit(minutes=options.minutes, began=question.began, final=final)


def read_question(registry: Registry, options: SearchOptions, say: Say) -> Question:
    """What a command line asks. Raises `SuiteError` for unknown names and for another workload's scores."""
    from suite.core.machine.hardware import resolve_device

    workload = registry.find_workload(options.workload)  # first: scores of workloads are names of metrics
    objectives = parse_objectives(options.minimise, options.maximise, options.budget, options.keep)
    _check_applies(workload, objectives)
    device = resolve_device(options.device)
    return Question(
        registry=registry, options=options, workload=workload, device=device, objectives=objectives, say=say
    )


def _check_applies(workload: Workload, objectives: Objectives) -> None:
    own = {score.name + end for score in workload.scores for end in ("", VS_CONTROL, WORST_SEED)}
    for name in objectives.metrics:
        is_score = name + VS_CONTROL in METRICS or name.endswith((VS_CONTROL, WORST_SEED))
        if is_score and name not in own:
            raise UsageError(f"{workload.name} has no score {name}; it has {', '.join(sorted(own)) or 'none'}")


def _usual(registry: Registry) -> list[str]:
    """The techniques that run where none is named."""
    return [found.name for found in registry.techniques.values() if found.runs and found.name != BASELINE]


def _searched(question: Question, chosen: SearchSpace) -> tuple[SearchLoop, Path]:
    """The search after its last trial, and the folder of its figures."""
    from suite.bench.bench import Plan

    judged = on_validation(question.workload)
    judged.recipe(0).data()  # raises where there is nothing to choose on
    run = question.open(judged, Plan(profile="quick", seeds=1))
    with Trials(
        run=run,
        registry=question.registry,
        workload=judged,
        device=question.device,
        metrics=question.objectives.metrics,
    ) as trials:
        return _search_loop(question, trials, _available(trials, chosen, question.say)), run.folder.path


def _search_loop(question: Question, trials: Trials, allowed: SearchSpace) -> SearchLoop:
    """Open or go on with the storage, and run."""
    options, folder = question.options, trials.run.folder.path
    storage = options.storage or str(folder / JOURNAL)
    study = open_study(storage, question.objectives, identity(question, allowed, trials.run.header), seed=options.seed)
    question.say(f"{folder}: trials, kept in {storage}")
    limit = _limit(question)
    with nullcontext() if limit is None else limit.trial():
        _baseline(trials)
    random = Random(options.seed + len(study.trials))  # noqa: S311  # no secret
    loop = SearchLoop(
        study=study, space=allowed, objectives=question.objectives, measure=trials.measure, refusal=trials.refusal,
        say=question.say, random=random,
    )  # fmt: skip
    try:
        loop.run(trials=options.trials, limit=limit)
    except KeyboardInterrupt:
        question.say(f"interrupted; the measurements are kept: continue with --storage {storage}")
        raise
    return loop


def _available(trials: Trials, chosen: SearchSpace, say: Say) -> SearchSpace:
    """The space without the techniques that cannot run here alone; says why they are left out."""
    reasons = {name: trials.refusal(texts[1]) for name, texts in chosen.options.items()}
    for name, reason in reasons.items():
        if reason is not None:
            say(f"{name} is left out: {reason}")
    kept = [text for name, texts in chosen.options.items() if reasons[name] is None for text in texts[1:]]
    return space(chosen.registry, kept, most=chosen.most)


def _baseline(trials: Trials) -> None:
    """The baseline comes first in every process: all else is timed beside it."""
    try:
        trials.measure(BASELINE)
    except TrialError as error:
        raise UsageError(f"{error}: a search needs objectives that are measured on {trials.device}") from error


def identity(question: Question, allowed: SearchSpace, header: RunHeader) -> Mapping[str, Any]:
    """What trials of one storage have in common, by name."""
    return {
        "workload": question.workload.name,
        "objectives": [str(objective) for objective in question.objectives.optimized],
        "budgets": [str(budget) for budget in question.objectives.budgets],
        "techniques": {name: list(texts) for name, texts in allowed.options.items()},
        "device": question.device,
        "machine": header.where.machine,
        "threads": header.where.threads,
        "versions": dict(header.where.versions),
        "data": dict(header.where.data_digests),
        "code": header.sources,
    }


def _show(found: Sequence[MeasuredComposition], objectives: Objectives, folder: Path, note: str, say: Say) -> None:
    rows = tables.front(found, objectives)
    for line in ["", *tables.lines(rows, objectives), "", note]:
        say(line)
    for path in tables.write(folder, rows, objectives, note):
        say(str(path))
    if plots.available() and len(objectives.metrics) > 1:
        say(str(plots.draw(found, objectives, folder / f"{tables.NAME}.png")))


def _nothing(found: Sequence[MeasuredComposition], objectives: Objectives) -> str:
    closest = nearest(found, objectives)
    shares = zip(objectives.budgets, objectives.misses(closest.figures), strict=True)
    missed = [f"{budget} is missed by {share:.1%} of the limit" for budget, share in shares if share]
    return f"no composition keeps all bounds; {closest.composition} comes nearest: {', '.join(missed)}"


def _finish(question: Question, best: Sequence[MeasuredComposition]) -> bool:
    """Measure the winners on the test items over several seeds; whether any could be."""
    from suite.bench.bench import Plan

    run, failed = question.open(question.workload, Plan(profile="default", seeds=question.options.final_seeds)), 0
    with Final(
        run=run,
        registry=question.registry,
        workload=question.workload,
        device=question.device,
        objectives=question.objectives,
    ) as final:
        for one in best:
            try:
                question.say(final.line(one.composition))
            except TrialError as error:
                failed += 1
                question.say(str(error))
    question.say(f"{run.folder.path}: the winners, on the test items")
    return failed < len(best)
