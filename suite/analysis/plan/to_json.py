"""Answers as plain data for machines: dictionaries, lists, numbers and texts, ready for JSON."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from suite.analysis.plan.budgets import DeploymentLimit
from suite.analysis.plan.choose import Candidate, Choice
from suite.analysis.plan.render_text import command
from suite.core.records import Measurement, RunHeader


def plain(answers: Iterable[Choice], header: RunHeader | None = None) -> dict[str, Any]:
    """All answers; figures are in their metric's unit, shares between 0 and 1."""
    return {"schema": 1, "run": header and header.run, "answers": [_answer(answer, header) for answer in answers]}


def _answer(answer: Choice, header: RunHeader | None) -> dict[str, Any]:
    alike = [{**_candidate(one.candidate), "how": one.how} for one in answer.alike]
    return {
        "workload": answer.place[0],
        "device": answer.place[1],
        "score": {"name": answer.score.name, "unit": answer.score.unit, "better": answer.score.better},
        "budgets": [_budget(budget) for budget in answer.budgets],
        "chosen_on": answer.chosen_on,
        "winner": answer.winner and _candidate(answer.winner),
        "best_that_fits_surely": answer.sure and answer.sure.technique,
        "cannot_be_told_apart": alike,
        "behind": [_candidate(one) for one in answer.behind],
        "cheapest": answer.cheapest and answer.cheapest.technique,
        "left_out": [_candidate(one) for one in answer.out],
        "nearest": answer.nearest and _candidate(answer.nearest),
        "pareto_front": list(answer.front),
        "failures": [
            {"technique": f.cell.technique, "group": f.group, "kind": f.kind, "reason": f.reason}
            for f in answer.failures
        ],
        "command": answer.winner and command(answer, answer.winner.technique, header),
    }


def _budget(budget: DeploymentLimit) -> dict[str, Any]:
    bound = "at most" if budget.upper else "at least"
    return {"metric": budget.metric, "bound": bound, "limit": budget.limit, "unit": budget.unit}


def _candidate(candidate: Candidate) -> dict[str, Any]:
    return {
        "technique": candidate.technique,
        "score": _figure(candidate.score),
        "fit": candidate.fit.value,
        "budgets": [_stand(budget, candidate) for budget in candidate.fits],
    }


def _stand(budget: DeploymentLimit, candidate: Candidate) -> dict[str, Any]:
    figure = candidate.figures.get(budget.metric)
    stand = {"metric": budget.metric, "fit": candidate.fits[budget].value, "figure": _figure(figure)}
    if figure is None:
        return stand
    return {**stand, "used": budget.used(figure.value), "excess": max(0.0, budget.excess(figure.value))}


def _figure(figure: Measurement | None) -> dict[str, Any] | None:
    if figure is None:
        return None
    names = ("value", "low", "high", "confidence", "unit", "suspect")
    return {name: getattr(figure, name) for name in names}
