"""The loop of a search: the sampler proposes compositions, invalid ones are skipped, the others are measured."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from random import Random
from time import monotonic
from typing import TYPE_CHECKING

from suite.analysis.search.objectives import Figures, Objectives
from suite.analysis.search.space import SearchSpace
from suite.analysis.search.storage import STARTUP
from suite.analysis.search.trials import TrialError
from suite.core.errors import CompositionError

if TYPE_CHECKING:
    import optuna

COMPOSITION, FIGURES, INVALID, FAILED, REPEAT = "composition", "figures", "invalid", "failed", "repeat"
MINUTE = 60.0
PATIENCE = 4  # invalid proposals in a row, after which a valid one is drawn at random

Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class MeasuredComposition:
    """A measured composition with its metrics on validation items."""

    composition: str
    figures: Figures


@dataclass(frozen=True, kw_only=True)
class Count:
    """The numbers of trials of a storage by their outcome; ``measured`` includes ``infeasible``."""

    measured: int
    infeasible: int
    invalid: int
    failed: int

    def __str__(self) -> str:
        return (
            f"{self.measured} compositions measured, {self.infeasible} of them infeasible; "
            f"{self.failed} failed, {self.invalid} proposals invalid (skipped before training)"
        )


@dataclass(kw_only=True)
class TimeLimit:
    """The minutes of a search, counted from ``began`` (seconds of ``clock``): the last trial and the final one fit in.

    ``final`` says how many trials the final measurement takes as long as; ``longest`` is the longest trial so far.
    """

    minutes: float
    began: float
    final: int = 0
    longest: float = 0.0
    clock: Callable[[], float] = monotonic

    def passes(self) -> bool:
        """Whether there is no time for one more trial and the final measurement after it."""
        return self.clock() - self.began + (1 + self.final) * self.longest > MINUTE * self.minutes

    @contextmanager
    def trial(self) -> Iterator[None]:
        """Remember how long the body takes: a trial."""
        start = self.clock()
        try:
            yield
        finally:
            self.longest = max(self.longest, self.clock() - start)

    def __str__(self) -> str:
        left = max(0.0, MINUTE * self.minutes - (self.clock() - self.began))
        need = (1 + self.final) * self.longest
        return (
            f"--minutes {self.minutes:g}: no further trial; {left:.0f} s are left, and a trial and the final "
            f"measurement take about {need:.0f} s"
        )


@dataclass(kw_only=True)
class SearchLoop:
    """A running search. ``measure`` returns metrics or raises `TrialError`; ``refusal`` says why it cannot measure.

    All results are stored in the ``study``: a search that is killed loses only the running trial.
    """

    study: optuna.Study
    space: SearchSpace
    objectives: Objectives
    measure: Callable[[str], Figures]
    refusal: Callable[[str], str | None]
    say: Say
    random: Random = field(default_factory=Random)

    def run(self, *, trials: int, limit: TimeLimit | None = None) -> None:
        """Continue until the storage has ``trials``, no time is left, or all compositions have been tried."""
        if not self._tried():
            self.study.enqueue_trial(self.space.nothing())  # the baseline
        while len(self._tried()) < trials:
            if limit is not None and limit.passes():
                self.say(str(limit))
                return
            proposed = self._next()
            if proposed is None:
                self.say("all compositions of this space have been tried")
                return
            with nullcontext() if limit is None else limit.trial():
                self._measure(*proposed)

    def found(self) -> list[MeasuredComposition]:
        """All measured compositions, in order."""
        measured = {text: trial for text, trial in self._tried().items() if FIGURES in trial.user_attrs}
        return [MeasuredComposition(composition=text, figures=_figures(trial)) for text, trial in measured.items()]

    def count(self) -> Count:
        measured = self.found()
        return Count(
            measured=len(measured),
            infeasible=sum(not self.objectives.feasible(composition.figures) for composition in measured),
            invalid=sum(INVALID in trial.user_attrs for trial in self.study.trials),
            failed=sum(FAILED in trial.user_attrs and REPEAT not in trial.user_attrs for trial in self.study.trials),
        )

    def _next(self) -> tuple[optuna.Trial, str] | None:
        """The next trial that is valid and new; every other proposal gets the reason."""
        if len(self._tried()) < STARTUP:  # a sampler without data proposes half of all techniques at once
            self._draw()
        refused = 0
        while True:
            trial = self.study.ask()
            chosen = {name: trial.suggest_categorical(name, texts) for name, texts in self.space.options.items()}
            text = self._accepted(trial, chosen)
            if text is not None:
                return trial, text
            refused += 1
            if refused % PATIENCE == 0 and not self._draw():
                return None

    def _draw(self) -> bool:
        """Make the next proposal a random valid one; false if there is none."""
        waiting = any(trial.state.name == "WAITING" for trial in self.study.trials)
        if waiting:
            return True
        drawn = self.space.draw(self.random, {*self._tried(), *self._refused()})
        if drawn is not None:
            self.study.enqueue_trial(drawn)
        return drawn is not None

    def _accepted(self, trial: optuna.Trial, chosen: dict[str, str]) -> str | None:
        """The composition to measure; `None` if the trial has ended as a repeat or as invalid."""
        try:
            text = self.space.text(chosen)
        except CompositionError as error:
            self._skip(trial, str(error))
            return None
        trial.set_user_attr(COMPOSITION, text)
        before = self._tried().get(text)
        reason = None if before is not None else self.refusal(text)
        if before is not None:
            self._repeat(trial, before)
        elif reason is not None:
            self._skip(trial, reason)
        return text if before is None and reason is None else None

    def _skip(self, trial: optuna.Trial, reason: str) -> None:
        from optuna.trial import TrialState

        trial.set_user_attr(INVALID, reason)
        self.study.tell(trial, state=TrialState.PRUNED)

    def _repeat(self, trial: optuna.Trial, before: optuna.trial.FrozenTrial) -> None:
        """Report the earlier result: the sampler learns from it, and nothing is measured."""
        trial.set_user_attr(REPEAT, before.number)
        if FIGURES in before.user_attrs:
            self._tell(trial, _figures(before))
        else:
            self._fail(trial, before.user_attrs[FAILED])

    def _measure(self, trial: optuna.Trial, text: str) -> None:
        try:
            figures = self.measure(text)
        except TrialError as error:
            self._fail(trial, str(error))
            self.say(f"[{len(self._tried())}] {text}: failed: {error}")
            return
        trial.set_user_attr(FIGURES, {name: list(figure) for name, figure in figures.items()})
        self._tell(trial, figures)
        fits = "" if self.objectives.feasible(figures) else " (infeasible)"
        said = ", ".join(f"{name} {figures[name][0]:.4g}" for name in self.objectives.metrics)
        self.say(f"[{len(self._tried())}] {text}: {said}{fits}")

    def _tell(self, trial: optuna.Trial, figures: Figures) -> None:
        for budget, miss in zip(self.objectives.budgets, self.objectives.misses(figures), strict=True):
            trial.set_constraint(str(budget), miss)
        self.study.tell(trial, [figures[objective.metric][0] for objective in self.objectives.optimized])

    def _fail(self, trial: optuna.Trial, reason: str) -> None:
        from optuna.trial import TrialState

        trial.set_user_attr(FAILED, reason)
        self.study.tell(trial, state=TrialState.FAIL)

    def _tried(self) -> dict[str, optuna.trial.FrozenTrial]:
        """The first trial of each composition that was measured or failed."""
        known: dict[str, optuna.trial.FrozenTrial] = {}
        for trial in self.study.trials:
            if trial.state.is_finished() and {FIGURES, FAILED}.intersection(trial.user_attrs):
                known.setdefault(trial.user_attrs[COMPOSITION], trial)
        return known

    def _refused(self) -> set[str]:
        attributes = [trial.user_attrs for trial in self.study.trials]
        return {own[COMPOSITION] for own in attributes if INVALID in own and COMPOSITION in own}


def nearest(found: Sequence[MeasuredComposition], objectives: Objectives) -> MeasuredComposition:
    """The composition with the least sum of misses, each relative to its limit."""
    return min(found, key=lambda composition: sum(objectives.misses(composition.figures)))


def _figures(trial: optuna.trial.FrozenTrial) -> Figures:
    return {name: (value, low, high) for name, (value, low, high) in trial.user_attrs[FIGURES].items()}
