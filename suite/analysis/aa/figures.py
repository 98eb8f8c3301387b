"""Statistics of a ratio of times over several processes on unchanged code: noise, false alarms, detectable loss.

``within`` is the relative standard error of one process. It comes from the half width ``h`` of its interval, as for a
normal distribution: ``h / z((1 + confidence) / 2)``. ``spread`` is the relative standard deviation of the processes'
ratios, and ``between`` what it holds beyond ``within``: ``sqrt(spread^2 - within^2)``, at least 0 (a one-way random
effects model; Searle, Casella and McCulloch, Variance Components (1992), chapter 3).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from statistics import NormalDist, fmean, stdev

from suite.core.errors import UsageError
from suite.core.metrics import is_paired
from suite.core.records import Expectation, Measurement, VerdictKind
from suite.gate.bounds import propose
from suite.gate.judge import judge
from suite.gate.power import detectable

LEAST = 4  # processes: each is judged by a bound that the others make, and three know their noise


@dataclass(frozen=True, kw_only=True)
class NoiseMetrics:
    """Of one metric of one cell over ``n`` processes; ``alarms`` of them would have regressed before any repeat.

    ``loss`` is the least one that a run finds with 99 % power, as a share of the value: at least 1 is never found.
    """

    cell: str
    metric: str
    n: int
    value: float
    within: float
    between: float
    spread: float
    low: float
    alarms: int
    judged: int
    loss: float | None


def trusted(processes: Sequence[Mapping[str, Measurement]]) -> list[list[Measurement]]:
    """Each ratio of times as those processes measured it that none doubts, where they are enough to say something."""
    sets = [
        [rows[name] for rows in processes if name in rows and not rows[name].suspect]
        for name in processes[0]
        if is_paired(name)
    ]
    return [rows for rows in sets if len(rows) >= LEAST]


def figures(found: Sequence[Measurement]) -> NoiseMetrics:
    """The figures of one metric, measured by each process. Raises `UsageError` for fewer than four."""
    if len(found) < LEAST:
        raise UsageError(f"an A/A study needs at least {LEAST} processes, got {len(found)}; say --processes {LEAST}")
    entry, values = _stored(found), [one.value for one in found]
    spread, within = stdev(values) / abs(fmean(values)), fmean(map(_stated, found))
    verdicts = [_verdict(one, _stored([*found[:k], *found[k + 1 :]])) for k, one in enumerate(found)]
    losses = [loss for one in found if (loss := detectable(one, entry)) is not None]
    return NoiseMetrics(
        cell=str(found[0].cell), metric=found[0].metric, n=len(found), value=entry.value, within=within, spread=spread,
        between=math.sqrt(max(0.0, spread**2 - within**2)), low=entry.low or 0.0,
        alarms=verdicts.count(VerdictKind.REGRESSED), judged=len(verdicts), loss=fmean(losses) if losses else None,
    )  # fmt: skip


def _stated(one: Measurement) -> float:
    """The relative standard error that a process states."""
    if one.low is None or one.high is None or one.confidence is None:
        return 0.0
    return (one.high - one.low) / 2 / NormalDist().inv_cdf((1 + one.confidence) / 2) / abs(one.value)


def _stored(found: Sequence[Measurement]) -> Expectation:
    """What a recording of these processes would store."""
    values = [one.value for one in found]
    middle = fmean(values)
    recorded = replace(found[0], value=middle, noise=stdev(values) / abs(middle), processes=len(found))
    low, high = propose(recorded)
    return Expectation(
        workload=recorded.cell.workload, technique=recorded.cell.technique, metric=recorded.metric, level="any",
        value=middle, low=low, high=high, unit=recorded.unit, better=recorded.better, tier=recorded.tier,
        noise=recorded.noise, processes=recorded.processes,
    )  # fmt: skip


def _verdict(one: Measurement, entry: Expectation) -> VerdictKind:
    return judge(one, entry, quiet=True, today=datetime.now(UTC).date()).kind
