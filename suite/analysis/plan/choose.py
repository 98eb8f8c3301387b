"""The best measured cell within budgets: ``max P(w) subject to C(w) <= B``, one answer for a workload and device."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from suite.analysis.plan.budgets import DeploymentLimit, LimitCheck, fit, parse_budgets, refuse_twice
from suite.analysis.plan.cells import Cells, Place, score_of
from suite.analysis.plan.gains import quality_gain
from suite.analysis.plan.source import cells as read
from suite.analysis.plan.ties import Alike, alike
from suite.core.choosing import judged_on
from suite.core.composition import BASELINE
from suite.core.records import CellFailure, Measurement, Metric
from suite.report.pareto import Merit, front, merit

if TYPE_CHECKING:
    from suite.analysis.plan.source import Source


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """One measured composition: its ``score`` (`None`: not measured), its figures, and its fit to each budget."""

    technique: str
    score: Measurement | None
    figures: Mapping[str, Measurement]
    fits: Mapping[DeploymentLimit, LimitCheck]

    @property
    def fit(self) -> LimitCheck:
        """The worst of its fits; surely where there is no budget."""
        return max(self.fits.values(), key=list(LimitCheck).index, default=LimitCheck.SURELY)

    @property
    def inside(self) -> bool:
        """Whether it has a score and every figure lies within its budget."""
        return self.score is not None and self.fit in (LimitCheck.SURELY, LimitCheck.PERHAPS)

    @property
    def used(self) -> tuple[float, ...]:
        """The shares of its budgets that it uses, the greatest first."""
        shares = [budget.used(self.figures[budget.metric].value) for budget in self.fits if self._has(budget)]
        return tuple(sorted((share for share in shares if share is not None), reverse=True))

    @property
    def miss(self) -> float:
        """The greatest miss of a budget, as a share of its limit."""
        return max((budget.miss(self.figures[budget.metric].value) for budget in self.fits), default=0.0)

    def _has(self, budget: DeploymentLimit) -> bool:
        return budget.metric in self.figures


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The best composition of one workload on one device, and its alternatives.

    ``winner`` has the best score of all compositions within the budgets. If it fits only perhaps, ``sure`` is the best
    that fits surely. The scores of ``alike`` do not differ significantly from the winner's. ``cheapest`` uses its
    budgets least among these and the winner (`None` without budgets). ``behind`` fits with a worse score, ``out`` does
    not fit. ``front`` is Pareto-optimal in the score and the bounded metrics. If nothing fits, ``nearest`` misses
    least.
    """

    place: Place
    score: Metric
    budgets: tuple[DeploymentLimit, ...]
    winner: Candidate | None
    sure: Candidate | None
    alike: tuple[Alike[Candidate], ...]
    behind: tuple[Candidate, ...]
    cheapest: Candidate | None
    out: tuple[Candidate, ...]
    front: tuple[str, ...]
    nearest: Candidate | None
    failures: tuple[CellFailure, ...] = ()

    @property
    def chosen_on(self) -> str | None:
        """The items whose scores decided between cells: ``test`` or ``validation``; ``None`` where no score did."""
        quality = [self.score.group == "quality", *(_of_quality(budget, self) for budget in self.budgets)]
        several = self.winner is not None and bool(self.alike or self.behind or self.out)
        return judged_on(self.place[0]) if several and any(quality) else None


def _of_quality(budget: DeploymentLimit, choice: Choice) -> bool:
    """Whether a bound is one of a score."""
    return choice.winner is not None and choice.winner.figures[budget.metric].group == "quality"


def best_under(
    cells: Source, budgets: Iterable[DeploymentLimit | str] = (), *, score: str | None = None
) -> tuple[Choice, ...]:
    """The best cell of each workload and device within all ``budgets``, by the workload's primary score.

    ``cells`` are a `RunFolder`, a path of one or of its ``results.csv``, or a pandas
    table (`suite.analysis.plan.table`).
    Budgets are texts like ``bytes=100kB`` and ``speedup>=1.5``, or `DeploymentLimit`s. A workload without a score is
    left out (`unscored`). Raises `UsageError` for budgets that mean nothing and if no workload has a score,
    `ResultsError` for cells that cannot be read.
    """
    found = read(cells, score=score)
    given, known = list(budgets), found.known()
    parsed = [one for b in given for one in (parse_budgets([b], known=known) if isinstance(b, str) else (b,))]
    refuse_twice(parsed)
    if len(unscored(found)) == len(found.places()):
        score_of(found, found.places()[0][0])  # says what to do
    answers = []
    for place in sorted(set(found.places()) - set(unscored(found))):
        failures = tuple(f for f in found.failures if (f.cell.workload, f.cell.device) == place)
        answers.append(_answer(place, found.at(place), score_of(found, place[0]), tuple(parsed), failures))
    return tuple(answers)


def unscored(found: Cells) -> tuple[Place, ...]:
    """The places where nothing says which cell is best; `best_under` has no answer for them."""
    return tuple(place for place in found.places() if place[0] not in found.scores)


def _answer(
    place: Place,
    figures: Mapping[str, Mapping[str, Measurement]],
    score: Metric,
    budgets: tuple[DeploymentLimit, ...],
    failures: tuple[CellFailure, ...],
) -> Choice:
    candidates = [_candidate(technique, own, score, budgets) for technique, own in figures.items()]
    inside = sorted((one for one in candidates if one.inside), key=lambda one: _rank(one, score))
    winner = inside[0] if inside else None
    equals = alike(winner, inside[1:], figures, score) if winner else ()
    return Choice(
        place=place,
        score=score,
        budgets=budgets,
        winner=winner,
        sure=next((one for one in inside if one.fit is LimitCheck.SURELY), None),
        alike=equals,
        behind=tuple(one for one in inside[1:] if one not in [equal.candidate for equal in equals]),
        cheapest=_cheapest([winner, *(one.candidate for one in equals)]) if winner and budgets else None,
        out=tuple(one for one in candidates if not one.inside),
        front=_front(figures, score, budgets),
        nearest=None if winner else _nearest(candidates),
        failures=failures,
    )


def _candidate(
    technique: str, figures: Mapping[str, Measurement], score: Metric, budgets: Sequence[DeploymentLimit]
) -> Candidate:
    fits = {budget: fit(budget, figures.get(budget.metric)) for budget in budgets}
    return Candidate(technique=technique, score=figures.get(score.name), figures=figures, fits=fits)


def _rank(candidate: Candidate, score: Metric) -> tuple[float, bool, tuple[float, ...], str]:
    """The best score first; with equal scores first a sure fit, then the least use of the budgets."""
    assert candidate.score is not None  # noqa: S101  # only candidates inside are ranked
    value = candidate.score.value
    quality = -value if score.better == "higher" else value
    return quality, candidate.fit is not LimitCheck.SURELY, candidate.used, candidate.technique


def _cheapest(candidates: Iterable[Candidate]) -> Candidate | None:
    """The one whose most used budget is used least, then the next; `None` where no budget has shares."""
    shared = [one for one in candidates if one.used]
    return min(shared, key=lambda one: (one.used, one.technique), default=None)


def _nearest(candidates: Iterable[Candidate]) -> Candidate | None:
    """Of the cells with a score and a figure for every budget the one whose greatest miss is least."""
    unusable = {LimitCheck.UNMEASURED, LimitCheck.SUSPECT}
    measured = [one for one in candidates if one.score is not None and not unusable & set(one.fits.values())]
    return min(measured, key=lambda one: (one.miss, one.technique), default=None)


def _front(
    figures: Mapping[str, Mapping[str, Measurement]], score: Metric, budgets: Iterable[DeploymentLimit]
) -> tuple[str, ...]:
    """The techniques that no other beats, clearly better in one figure and clearly worse in none (`pareto.front`).

    The score counts as the gain over the baseline where there is one: what is paired tells more cells apart.
    """
    names = list(dict.fromkeys(budget.metric for budget in budgets if budget.metric != score.name))
    optimal = front([_merits(technique, figures, score, names) for technique in figures])
    return tuple(technique for technique, best in zip(figures, optimal, strict=True) if best)


def _merits(
    technique: str, figures: Mapping[str, Mapping[str, Measurement]], score: Metric, names: Iterable[str]
) -> tuple[Merit, ...] | None:
    own = [figures[technique].get(name) for name in names]
    sound = [one for one in own if one is not None and not one.suspect]
    known = [merit(one.value, one.low, one.high, higher=one.better == "higher") for one in sound]
    quality = _quality(technique, figures, score)
    return None if quality is None or len(known) < len(own) else (quality, *known)


def _quality(technique: str, figures: Mapping[str, Mapping[str, Measurement]], score: Metric) -> Merit | None:
    """A cell's score as a merit: its gain over the baseline, or the score itself where no baseline has one."""
    own = figures[technique].get(score.name)
    if own is None:
        return None
    if score.name not in figures.get(BASELINE, {}):
        return merit(own.value, own.low, own.high, higher=score.better == "higher")
    gain = quality_gain(technique, figures, score)
    return None if gain is None else merit(gain.value, gain.low, gain.high, higher=True)
