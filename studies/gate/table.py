"""What each rule said of each planted slowdown: false alarms, misses and inconclusive shares with their intervals."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from studies.gate.decide import expectation
from studies.gate.decision_log import Row
from studies.gate.peers import PEERS
from studies.gate.session import ALONE, SHARES, loads
from suite.core.stats.intervals import wilson
from suite.gate.error_rate import bar
from suite.report.pipe_table import pipe_table

GATE = "gate"
RULES = (GATE, *PEERS)
CONFIDENCE = 0.95
RUNS, TIMINGS = 200, 40
REGRESSED, INCONCLUSIVE = "regressed", "inconclusive"


@dataclass(frozen=True, kw_only=True)
class Count:
    """Of ``n`` decisions of a rule on one planted slowdown: how many regressed, could not tell, or passed.

    ``seconds`` is the median time of the gate's first sample, ``None`` for peers, whose time is given.
    """

    load: str
    planted: float
    rule: str
    n: int
    regressed: int
    inconclusive: int
    seconds: float | None

    @property
    def passed(self) -> int:
        return self.n - self.regressed - self.inconclusive


def counts(rows: Sequence[Row]) -> list[Count]:
    """By load, planted slowdown and rule; what was not decided at all has no row."""
    return [
        _count(chosen, load, share, rule)
        for load in loads(rows)
        for share in SHARES
        if (chosen := [row for row in rows if row["load"] == load and row["planted"] == share])
        for rule in RULES
        if rule == GATE or any(row["peers"] for row in chosen)
    ]


def _count(rows: Sequence[Row], load: str, share: float, rule: str) -> Count:
    own = rule == GATE
    rows = [row for row in rows if own or row["peers"]]  # not every decision has asked the peers
    kinds = [row["verdict"] if own else (REGRESSED if row["peers"][rule] else "pass") for row in rows]
    return Count(
        load=load, planted=share, rule=rule, n=len(kinds), regressed=kinds.count(REGRESSED),
        inconclusive=kinds.count(INCONCLUSIVE), seconds=median(row["seconds"] for row in rows) if own else None,
    )  # fmt: skip


def markdown(found: Sequence[Count]) -> str:
    """One line for each load, slowdown and rule."""
    titles = ("other cores", "planted", "rule", "n", "regressed", "inconclusive", "pass", "wrong", "s")
    return pipe_table(titles, map(_cells, found)) + "\n"


def _cells(count: Count) -> tuple[str, ...]:
    wrong = f"{count.regressed} false alarms" if count.planted == 0 else f"{count.passed} missed"
    shares = (share(k, count.n) for k in (count.regressed, count.inconclusive, count.passed))
    seconds = "" if count.seconds is None else f"{count.seconds:.1f}"
    return (count.load, f"{count.planted:.0%}", count.rule, str(count.n), *shares, wrong, seconds)


def share(k: int, n: int) -> str:
    """``k`` of ``n`` in percent with its 95 % interval."""
    low, high = wilson(k, n, CONFIDENCE)
    return f"{k / n:.1%} [{low:.1%}, {high:.1%}]"


def comma_separated(found: Sequence[Count]) -> str:
    """The same for pandas; intervals as columns of their own."""
    out = io.StringIO()
    names = ("load", "planted", "rule", "n", "regressed", "inconclusive", "passed")
    kinds = names[4:]
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*names, *(f"{kind}_{end}" for kind in kinds for end in ("low", "high")), "seconds"])
    for count in found:
        ends = [f"{end:.5f}" for kind in kinds for end in wilson(getattr(count, kind), count.n, CONFIDENCE)]
        writer.writerow([*(getattr(count, name) for name in names), *ends, count.seconds])
    return out.getvalue()


def remarks(rows: Sequence[Row], bound: Row) -> Iterator[str]:
    """The bound, the repeats and their machine, and the runs that would have been blocked."""
    yield (
        f"Judged against 1 with low = {bound['low']:g} (s = {bound['noise']:.2%} over "
        f"{len(bound['values'])} processes, recorded {bound['at'][:10]}), torch {bound['versions'].get('torch', '?')}."
    )
    if bound["others"] > ALONE:
        yield f"It was recorded beside foreign load ({bound['others']:.0%} of a core), may be wide: --anew replaces it."
    repeated = [row for row in rows if len(row["processes"]) > 1]
    fresh = sum(row["fresh"] for row in repeated)
    yield f"{len(repeated)} decisions were repeated, {fresh} of them in fresh processes, the others at other addresses."
    for load in loads(rows):
        same = [row for row in rows if row["load"] == load and row["planted"] == 0]
        if same:
            blocked = blocked_runs(same, bound)
            yield (
                f"{load}: {blocked} of {RUNS} simulated runs of {TIMINGS} timings would have been blocked, drawn with "
                f"replacement from {len(same)} decisions on identical code{_processes(same)}."
            )
        met, pairs = predicted(same)
        if pairs:
            yield (
                f"{load}: the 99 % intervals of two samples on identical code, half of the study apart, meet in "
                f"{met} of {pairs} pairs ({share(met, pairs)})."
            )


def _processes(rows: Sequence[Row]) -> str:
    """How many processes took the decisions, where each says so: those of one process have more in common."""
    names = {row.get("process") for row in rows}
    return "" if None in names else f" in {len(names)} processes"


def predicted(rows: Sequence[Row]) -> tuple[int, int]:
    """The number of pairs of samples with overlapping intervals, and of all pairs; each sample is in one pair.

    The two of a pair are half of the study apart, so they are from different processes if there are several.
    """
    ends = [(row["low"], row["high"]) for row in rows if row["low"] is not None]
    half = len(ends) // 2
    pairs = list(zip(ends[:half], ends[half:], strict=False))
    return sum(first[0] <= second[1] and second[0] <= first[1] for first, second in pairs), len(pairs)


def blocked_runs(rows: Sequence[Row], bound: Row, *, seed: int = 0) -> int:
    """Of simulated runs of unchanged code, those with a regression beyond the bar of so many timings."""
    limit = bar(expectation(bound["low"], bound["noise"]), TIMINGS)
    blocks = [row["verdict"] == REGRESSED and limit is not None and row["high"] < limit for row in rows]
    drawn = random.Random(seed)  # noqa: S311  # simulates, guards no secret
    return sum(any(drawn.choices(blocks, k=TIMINGS)) for _ in range(RUNS))
