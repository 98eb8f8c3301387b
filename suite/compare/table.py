"""The table of a comparison, the lines below it, and its exit code."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, Literal

from suite.compare import judge
from suite.compare.attribution import Blame, blamed
from suite.compare.exact import Exact
from suite.compare.judge import LOOKS, Rules, SpeedEstimate, Timing, Verdict, estimate, pairs_needed
from suite.compare.measure import Compared
from suite.core.exit_codes import EXIT_FAILED, EXIT_INCONCLUSIVE, EXIT_PASS, EXIT_UNUSABLE
from suite.report.pipe_table import pipe_table

HEAD = ("cell", "metric", "current / reference", "99 % interval", "verdict")
FAILING = ("regressed", "error")
Row = tuple[str, str, str, str, str]


def judged(found: Sequence[Compared], rules: Rules) -> list[Verdict]:
    """The verdict of every timing of a run, in order; a cell with a problem has the problem's."""
    timings = [timing for one in found if one.problem is None for timing in one.timings]
    said = iter(judge.verdicts(timings, rules))
    return [next(said) if one.problem is None else one.problem[0] for one in found for _ in one.timings]


def rows(found: Sequence[Compared], verdicts: Sequence[Verdict]) -> list[Row]:
    """One row a metric, one for a cell that has none; ``verdicts`` of all timings in order."""
    waiting = iter(verdicts)
    return [row for one in found for row in _of_cell(one, [next(waiting) for _ in one.timings])]


def _of_cell(one: Compared, verdicts: Sequence[Verdict]) -> Iterable[Row]:
    for exact in one.exact:
        yield one.cell, exact.metric, _exact(exact), "exact", exact.verdict
    if one.problem is not None:
        yield one.cell, "", "", "", one.problem[0]
        return
    for timing, verdict in zip(one.timings, verdicts, strict=True):
        yield (one.cell, timing.metric, *_interval(_estimate(timing)), verdict)


def _exact(exact: Exact) -> str:
    if exact.reference is None:
        return f"{exact.current:.3g} relative"
    return f"{exact.current:.0f} / {exact.reference:.0f}"


def _estimate(timing: Timing) -> SpeedEstimate | None:
    return estimate(timing.looked) if len(timing.looked) > 1 else None


def _interval(found: SpeedEstimate | None) -> tuple[str, str]:
    return ("", "") if found is None else (f"{found.ratio:.4f} of its speed", f"{found.low:.4f} to {found.high:.4f}")


def figures(found: Sequence[Compared], verdicts: Sequence[Verdict]) -> list[dict[str, Any]]:
    """Every timing's ratio, 99 % interval, pairs and verdict as numbers; ``None`` where there is no ratio."""
    waiting = iter(verdicts)
    return [
        {"cell": one.cell, "metric": timing.metric, "verdict": next(waiting), **_numbers(_estimate(timing))}
        for one in found
        for timing in one.timings
    ]


def _numbers(found: SpeedEstimate | None) -> dict[str, Any]:
    return vars(found) if found else dict.fromkeys(("ratio", "low", "high", "pairs"))


def remarks(found: Sequence[Compared], verdicts: Sequence[Verdict], rules: Rules) -> list[str]:
    """Why what did not pass did not, in words."""
    waiting = iter(verdicts)
    lines = []
    for one in found:
        own = [next(waiting) for _ in one.timings]
        lines += one.notes
        lines += [f"{one.cell} {exact.metric}: {'; '.join(exact.changes)}" for exact in one.exact if exact.changes]
        if one.problem is not None:
            lines.append(f"{one.cell}: {one.problem[0]}: {one.problem[1]}")
            continue
        open_still = [timing for timing, said in zip(one.timings, own, strict=True) if said == "inconclusive"]
        lines += [f"{one.cell} {metrics}: {why}" for why, metrics in _by_reason(open_still, rules).items()]
    return lines


def _by_reason(timings: Sequence[Timing], rules: Rules) -> dict[str, str]:
    """By the reason why they are inconclusive, the names of the metrics."""
    names: dict[str, list[str]] = {}
    for timing in timings:
        names.setdefault(_why(timing, rules), []).append(timing.metric)
    return {why: " and ".join(found) for why, found in names.items()}


def _why(timing: Timing, rules: Rules) -> str:
    if timing.trouble:
        return f"inconclusive: {timing.trouble}"
    if timing.confirmed:
        again = estimate(timing.confirmed)
        return f"inconclusive: slower at first, {again.low:.4f} to {again.high:.4f} in a fresh set of pairs"
    return (
        f"inconclusive: after {len(timing.looked)} pairs the interval reaches below {rules.passing:g}, and not wholly "
        f"below {rules.failing:g}; {_what_decides(timing, rules)}"
    )


def _what_decides(timing: Timing, rules: Rules) -> str:
    needed = pairs_needed(estimate(timing.looked), rules)
    if needed is None:
        return f"too close to {rules.failing:g}: no number of pairs decides it; give another --margin or --allow"
    more = needed / len(timing.looked)
    return f"about --pairs {math.ceil(needed / LOOKS)} with {more:.2g} times the --budget would decide it"


def blame_lines(found: Sequence[Blame], rules: Rules) -> list[str]:
    """The 2 x 2, one line a timing."""
    return [
        f"{one.cell} {one.metric}: {blamed(one, rules)} (new against old code in the new environment: "
        f"{_short(one.code)}; new against old environment with the new code: {_short(one.environment)})"
        for one in found
    ]


def _short(found: SpeedEstimate | None) -> str:
    return "not measured" if found is None else f"{found.ratio:.4f}, {found.low:.4f} to {found.high:.4f}"


def markdown(table: Sequence[Row], lines: Sequence[str], *, title: str) -> str:
    """The table and the lines below it for a pull request's summary."""
    return "\n".join([f"### {title}", "", pipe_table(HEAD, table), "", *(f"- {line}" for line in lines), ""])


def plain(table: Sequence[Row]) -> list[str]:
    """The table for a terminal."""
    from tabulate import tabulate

    return tabulate(table, headers=HEAD, disable_numparse=True).splitlines()


def exit_code(
    table: Sequence[Row], found: Sequence[Compared], *, inconclusive: Literal["report", "fail"] = "report"
) -> int:
    """1 for a regression or a cell that the current code breaks, 11 if no user's cell was compared, 10 for doubt."""
    said = [row[-1] for row in table]
    if any(verdict in FAILING for verdict in said):
        return EXIT_FAILED
    own = [one for one in found if one.users] or found  # built-in cells say nothing of the user's code
    if all(one.problem is not None for one in own):
        return EXIT_UNUSABLE
    return EXIT_INCONCLUSIVE if inconclusive == "fail" and "inconclusive" in said else EXIT_PASS
