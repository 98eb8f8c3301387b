"""An answer in words: the winner, its use of the budgets, its equals, exclusions with reasons, front, command."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Sequence

from suite.analysis.plan.budgets import DeploymentLimit, LimitCheck, varies
from suite.analysis.plan.cells import UNKNOWN
from suite.analysis.plan.choose import Candidate, Choice
from suite.analysis.plan.layout import aligned, wrapped
from suite.core.records import Measurement, RunHeader
from suite.core.units.quantities import spell
from suite.core.units.values import number, percent

ELSEWHERE = "see --json"
OFF_FRONT = "the winner is not on the front: its lead in the score is within the noise, and others use clearly less"

ON_TEST = (
    "chosen on the test items: the best of several figures is better than it will be elsewhere; measure the winner on "
    "items that chose nothing, or let `suite search` choose on validation items"
)


def text(answers: Iterable[Choice], width: int, header: RunHeader | None = None) -> str:
    """All answers, one paragraph each, in lines of at most ``width`` characters (names of cells may be longer)."""
    return "\n\n".join("\n".join(_answer(answer, width, header)) for answer in answers)


def command(answer: Choice, technique: str, header: RunHeader | None = None) -> str:
    """What a person types to measure one cell again, as the run was made."""
    words = ["suite", "bench", "--workload", answer.place[0], "--technique", technique]
    words += ["--device", answer.place[1]] * (answer.place[1] != UNKNOWN)
    if header is None:
        return shlex.join(words)
    words += [f"--{header.profile}"] * (header.profile != "default")
    words += ["--threads", str(header.where.threads)] * (header.where.threads != 1)
    words += [word for name in header.load for word in ("--load", name)]
    return shlex.join(words)


def shown(figure: Measurement | None, bound: float | None = None) -> str:
    """A figure with its interval and unit; scores that are shares in percent."""
    if figure is None:
        return "-"
    ends = [end for end in (figure.low, figure.high) if end is not None]
    if bound is None and _is_share(figure):
        return percent(figure.value) + (f" [{', '.join(f'{100 * end:.2f}' for end in ends)}]" if ends else "")
    interval = f" [{', '.join(spell(end, figure.unit, bound=bound) for end in ends)}]" if ends else ""
    return spell(figure.value, figure.unit, bound=bound) + interval


def _is_share(figure: Measurement) -> bool:
    return figure.group == "quality" and figure.better == "higher" and figure.unit == "1" and 0 <= figure.value <= 1


def _answer(answer: Choice, width: int, header: RunHeader | None) -> Iterator[str]:
    workload, device = answer.place
    bounds = f" within {', '.join(map(str, answer.budgets))}" if answer.budgets else ", no budget"
    yield from wrapped(f"{workload} on {device}: best {answer.score.name}{bounds}", width, indent="")
    yield from _won(answer, answer.winner, width) if answer.winner else _lost(answer, width)
    yield from _left_out(answer, width)
    yield from _doubts(answer, width)
    metrics = ", ".join(dict.fromkeys([answer.score.name, *(budget.metric for budget in answer.budgets)]))
    yield from wrapped(f"Pareto front ({metrics}): {', '.join(answer.front) or 'no cell has all figures'}", width)
    if answer.winner and answer.front and answer.winner.technique not in answer.front:
        yield from wrapped(OFF_FRONT, width)
    if answer.chosen_on == "test":
        yield from wrapped(ON_TEST, width)
    if answer.winner:
        yield f"  again: {command(answer, answer.winner.technique, header)}"


def _won(answer: Choice, winner: Candidate, width: int) -> Iterator[str]:
    yield from wrapped(f"winner: {winner.technique}{_perhaps(winner)}", width)
    if winner.fit is LimitCheck.PERHAPS:
        sure = answer.sure.technique if answer.sure else "none"
        yield from wrapped(f"best that fits surely: {sure}", width)
    rows = [winner, *(one.candidate for one in answer.alike)]
    rows += [answer.sure] if answer.sure is not None and answer.sure not in rows else []
    yield from _table(answer, rows, width)
    if answer.behind:
        yield from wrapped(f"fit too, with a worse score: {'; '.join(map(_behind, answer.behind))}", width)
    for how in dict.fromkeys(one.how for one in answer.alike):
        names = ", ".join(one.candidate.technique for one in answer.alike if one.how == how)
        yield from wrapped(f"cannot be told apart ({how}): {names}", width)
    if answer.cheapest is not None and answer.alike:
        share = f"{100 * answer.cheapest.used[0]:.0f} %"
        yield from wrapped(f"cheapest of these: {answer.cheapest.technique}, at most {share} of a budget", width)


def _behind(candidate: Candidate) -> str:
    mark = " (perhaps)" if candidate.fit is LimitCheck.PERHAPS else ""
    return f"{candidate.technique} {shown(candidate.score)}{mark}"


def _perhaps(candidate: Candidate) -> str:
    reasons = [_doubt(budget, candidate) for budget, fit in candidate.fits.items() if fit is LimitCheck.PERHAPS]
    return f" (fits perhaps: {'; '.join(reasons)})" if reasons else ""


def _doubt(budget: DeploymentLimit, candidate: Candidate) -> str:
    figure = candidate.figures[budget.metric]
    if figure.low is None and figure.high is None and varies(figure):
        return f"{budget.metric} varies and has no interval"
    return f"the interval of {budget.metric} reaches beyond"


def _table(answer: Choice, rows: Sequence[Candidate], width: int) -> list[str]:
    bounded = [budget.metric for budget in answer.budgets]
    columns = {} if answer.score.name in bounded else {answer.score.name: [shown(one.score) for one in rows]}
    columns |= {budget.metric: [_use(budget, one) for one in rows] for budget in answer.budgets}
    columns["fits"] = [one.fit.value for one in rows]
    return aligned([one.technique for one in rows], columns, width, elsewhere=ELSEWHERE)


def _use(budget: DeploymentLimit, candidate: Candidate) -> str:
    """A figure and the share of its budget that it uses."""
    figure = candidate.figures[budget.metric]
    share = budget.used(figure.value)
    return shown(figure, budget.limit) + ("" if share is None else f" ({100 * share:.0f} %)")


def _lost(answer: Choice, width: int) -> Iterator[str]:
    yield from wrapped("no cell fits", width)
    if answer.nearest is None:
        yield from wrapped("no cell has a score and a figure for every budget; measure again or drop one", width)
    else:
        yield from wrapped(f"nearest: {answer.nearest.technique}, {_why(answer.nearest)}", width)


def _left_out(answer: Choice, width: int) -> Iterator[str]:
    if answer.out:
        yield "  left out:"
    for one in answer.out:
        yield from wrapped(f"{one.technique}: {_why(one)}", width, indent="    ")


def _why(candidate: Candidate) -> str:
    reasons = ["its score was not measured"] if candidate.score is None else []
    for budget, fit in candidate.fits.items():
        if fit is LimitCheck.UNMEASURED:
            reasons.append(f"{budget.metric} was not measured")
        elif fit is LimitCheck.SUSPECT:
            reasons.append(f"{budget.metric} was disturbed and is not used, {candidate.figures[budget.metric].suspect}")
        elif fit is LimitCheck.OVER:
            reasons.append(missed(budget, candidate.figures[budget.metric]))
    return "; ".join(reasons)


def missed(budget: DeploymentLimit, figure: Measurement) -> str:
    """By how much a figure misses a budget, and whether its interval reaches back in."""
    relative, how = budget.miss(figure.value), "over" if budget.upper else "short"
    share = "" if relative == float("inf") else f" ({number(100 * relative, digits=3)} %)"
    ends = [end for end in (figure.low, figure.high) if end is not None]
    reach = ", though its interval reaches in" if any(map(budget.holds, ends)) else ""
    amount = spell(budget.excess(figure.value), figure.unit)
    return f"{budget.metric} {spell(figure.value, figure.unit, bound=budget.limit)} is {amount} {how}{share}{reach}"


def _doubts(answer: Choice, width: int) -> Iterator[str]:
    """Suspect figures that matter here, and cells that failed."""
    metrics = {answer.score.name, *(budget.metric for budget in answer.budgets)}
    inside = [answer.winner, *(one.candidate for one in answer.alike)] if answer.winner else []
    for one in [c for c in (*inside, *answer.out) if c is not None]:
        for name in sorted(metrics & set(one.figures)):
            if (suspect := one.figures[name].suspect) and name not in {b.metric for b in answer.budgets}:
                yield from wrapped(f"suspect: {name} of {one.technique}: {suspect}", width)
    yield from _failed(answer, width)


def _failed(answer: Choice, width: int) -> Iterator[str]:
    """Cells that brought no figure, those of one reason together."""
    reasons: dict[tuple[str, str], dict[str, None]] = {}
    for failure in answer.failures:
        reasons.setdefault((failure.kind, failure.reason), {})[failure.cell.technique] = None
    for (kind, reason), techniques in reasons.items():
        yield from wrapped(f"not measured, {kind}: {', '.join(techniques)}: {reason}", width)
