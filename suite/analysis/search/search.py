"""A search from its question to its answer: trials on validation items, the front, the winners on the test."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from suite.analysis.search import plots, tables
from suite.analysis.search.final import Final
from suite.analysis.search.objectives import Aims, parse_aims
from suite.analysis.search.optimize import Found, Hunt, Say, nearest
from suite.analysis.search.options import Options
from suite.analysis.search.space import Space, space
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
    """What is searched, where, and who is told."""

    registry: Registry
    options: Options
    workload: Workload
    device: str
    aims: Aims
    say: Say

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


def search(registry: Registry, options: Options, say: Say) -> int:
    """Search, say what was found, and return the exit code: 1 where nothing keeps all bounds.

    Raises `SuiteError` for a question that makes no sense, before anything is trained.
    """
    require_optuna()
    asked = question(registry, options, say)
    chosen = space(registry, options.technique or _usual(registry), most=options.most)
    hunt, folder = _hunted(asked, chosen)
    found, note = hunt.found(), f"{hunt.count()}."
    _show(found, asked.aims, folder, note, say)
    best = tables.winners(found, asked.aims)
    if not best:
        say(_nothing(found, asked.aims))
        return NOTHING
    several = options.finalists or (1 if len(asked.aims.objectives) == 1 else SEVERAL)
    return FOUND if _finish(asked, best[:several]) else NOTHING


def question(registry: Registry, options: Options, say: Say) -> Question:
    """What a command line asks. Raises `SuiteError` for unknown names and for another workload's scores."""
    from suite.core.machine.hardware import resolve_device

    workload = registry.find_workload(options.workload)  # first: scores of workloads are names of metrics
    aims = parse_aims(options.minimise, options.maximise, options.budget, options.keep)
    _check_applies(workload, aims)
    device = resolve_device(options.device)
    return Question(registry=registry, options=options, workload=workload, device=device, aims=aims, say=say)


def _check_applies(workload: Workload, aims: Aims) -> None:
    own = {score.name + end for score in workload.scores for end in ("", VS_CONTROL, WORST_SEED)}
    for name in aims.metrics:
        is_score = name + VS_CONTROL in METRICS or name.endswith((VS_CONTROL, WORST_SEED))
        if is_score and name not in own:
            raise UsageError(f"{workload.name} has no score {name}; it has {', '.join(sorted(own)) or 'none'}")


def _usual(registry: Registry) -> list[str]:
    """The techniques that run where none is named."""
    return [found.name for found in registry.techniques.values() if found.runs and found.name != BASELINE]


def _hunted(asked: Question, chosen: Space) -> tuple[Hunt, Path]:
    """The search after its last trial, and the folder of its figures."""
    from suite.bench.bench import Plan

    judged = on_validation(asked.workload)
    judged.recipe(0).data()  # raises where there is nothing to choose on
    run = asked.open(judged, Plan(profile="quick", seeds=1))
    with Trials(
        run=run, registry=asked.registry, workload=judged, device=asked.device, metrics=asked.aims.metrics
    ) as trials:
        return _hunt(asked, trials, _available(trials, chosen, asked.say)), run.folder.path


def _hunt(asked: Question, trials: Trials, allowed: Space) -> Hunt:
    """Open or go on with the storage, and run."""
    options, folder = asked.options, trials.run.folder.path
    storage = options.storage or str(folder / JOURNAL)
    study = open_study(storage, asked.aims, identity(asked, allowed, trials.run.header), seed=options.seed)
    asked.say(f"{folder}: trials, kept in {storage}")
    _baseline(trials)
    random = Random(options.seed + len(study.trials))  # noqa: S311  # no secret
    hunt = Hunt(
        study=study, space=allowed, aims=asked.aims, measure=trials.measure, refusal=trials.refusal, say=asked.say,
        random=random,
    )  # fmt: skip
    try:
        hunt.run(trials=options.trials, minutes=options.minutes)
    except KeyboardInterrupt:
        asked.say(f"interrupted; what was measured is kept: go on with --storage {storage}")
        raise
    return hunt


def _available(trials: Trials, chosen: Space, say: Say) -> Space:
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
        raise UsageError(f"{error}: a search cannot aim at what is not measured on {trials.device}") from error


def identity(asked: Question, allowed: Space, header: RunHeader) -> Mapping[str, Any]:
    """What trials of one storage have in common, by name."""
    return {
        "workload": asked.workload.name,
        "objectives": [str(aim) for aim in asked.aims.objectives],
        "budgets": [str(budget) for budget in asked.aims.budgets],
        "techniques": {name: list(texts) for name, texts in allowed.options.items()},
        "device": asked.device,
        "machine": header.where.machine,
        "threads": header.where.threads,
        "versions": dict(header.where.versions),
        "data": dict(header.where.data_digests),
        "code": header.sources,
    }


def _show(found: Sequence[Found], aims: Aims, folder: Path, note: str, say: Say) -> None:
    rows = tables.front(found, aims)
    for line in ["", *tables.lines(rows, aims), "", note]:
        say(line)
    for path in tables.write(folder, rows, aims, note):
        say(str(path))
    if plots.available() and len(aims.metrics) > 1:
        say(str(plots.draw(found, aims, folder / f"{tables.NAME}.png")))


def _nothing(found: Sequence[Found], aims: Aims) -> str:
    closest = nearest(found, aims)
    shares = zip(aims.budgets, aims.misses(closest.figures), strict=True)
    missed = [f"{budget} is missed by {share:.1%} of the limit" for budget, share in shares if share]
    return f"nothing keeps all bounds; {closest.composition} comes nearest: {', '.join(missed)}"


def _finish(asked: Question, best: Sequence[Found]) -> bool:
    """Measure the winners on the test items over several seeds; whether any could be."""
    from suite.bench.bench import Plan

    run, failed = asked.open(asked.workload, Plan(profile="default", seeds=asked.options.final_seeds)), 0
    with Final(
        run=run, registry=asked.registry, workload=asked.workload, device=asked.device, aims=asked.aims
    ) as final:
        for one in best:
            try:
                asked.say(final.line(one.composition))
            except TrialError as error:
                failed += 1
                asked.say(str(error))
    asked.say(f"{run.folder.path}: the winners, on the test items")
    return failed < len(best)
