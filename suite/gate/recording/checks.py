"""Why a measurement must not become an expectation."""

from __future__ import annotations

import math
from datetime import date, datetime
from typing import TYPE_CHECKING

from suite.core.composition import BASELINE
from suite.core.errors import UsageError, unknown
from suite.core.metrics import ABSOLUTE_UNITS, METRICS
from suite.core.records import VerdictKind
from suite.gate.bounds import SIGMAS
from suite.gate.files.match import other_conditions, other_data
from suite.gate.hours import ENOUGH_PROCESSES
from suite.gate.judge import judge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from suite.core.records import Cell, Expectation, Measurement, RunHeader

TOO_NOISY = 0.9  # four times the noise: a lower bound would be next to nothing, and nothing could regress
RESET = "if the code changed on purpose, `suite record FOLDER --anew` forgets earlier runs"
NULL_METRIC = "speedup"  # of the baseline against its own copy
NULL_LOW, NULL_HIGH = 0.98, 1.02
REFUSED = {VerdictKind.REGRESSED: "has regressed", VerdictKind.INCONCLUSIVE: "is inconclusive"}


def doubt(measured: Measurement, header: RunHeader, biased: Mapping[tuple[str, str], str], *, single: bool) -> str:
    """Why the measurement cannot be trusted as an expectation; empty where it can.

    ``biased`` are the workloads and devices whose timings the run's own null arm contradicts (`null_doubts`).
    ``single`` accepts ratios from too few processes.
    """
    known = METRICS.get(measured.metric)
    if known is None:
        return str(unknown("metric", measured.metric, METRICS))
    noise = SIGMAS * (measured.noise or 0.0)
    doubts = {
        f"suspect: {measured.suspect}": measured.suspect,
        "of a training of an earlier run; run it without --reuse": measured.reused,
        f"its value is {measured.value!r}": not math.isfinite(measured.value),
        f"measured as {measured.unit}, {measured.better} is better; the catalogue has {known.unit}, {known.better}": (
            (measured.unit, measured.better) != (known.unit, known.better)
        ),
        _timing_doubt(measured, header, biased): is_timed(measured),
        _too_few(measured): not single and from_too_few(measured),
        f"too noisy to gate: four times its noise is {noise:.0%}; measure it on a quieter machine": (
            noise >= TOO_NOISY and measured.better == "higher" and known.noise == "relative"
        ),
    }
    return next((doubt for doubt, holds in doubts.items() if doubt and holds), "")


def null_doubts(measured: Iterable[Measurement]) -> dict[tuple[str, str], str]:
    """By workload and device, why all timings of a run are biased: its baseline is not as fast as its own copy."""
    return {
        (one.cell.workload, one.cell.device): (
            f"the run's own error: the baseline against its copy is {one.value:.4g} [{one.low:.4g}, {one.high:.4g}], "
            f"outside {NULL_LOW} to {NULL_HIGH}; run it again on a quieter machine"
        )
        for one in measured
        if (one.cell.technique, one.metric) == (BASELINE, NULL_METRIC)
        and one.low is not None
        and one.high is not None
        and (one.high < NULL_LOW or one.low > NULL_HIGH)
    }


def quality_doubts(
    measured: Iterable[Measurement], stored: Callable[[Measurement], Expectation | None], header: RunHeader
) -> dict[Cell, str]:
    """By cell, why its times are not to be kept: its quality did not pass, so what was timed may not do the work."""
    found: dict[Cell, str] = {}
    for one in measured:
        entry = stored(one)
        known = METRICS.get(one.metric)
        if known is None or known.group != "quality" or entry is None or entry.retired or one.unit in ABSOLUTE_UNITS:
            continue
        if other_conditions(one, entry) or other_data(entry, header.where):
            continue
        judgement = judge(one, entry, quiet=True, today=day_of(header.started))
        if judgement.kind in REFUSED:
            said = f"its {one.metric} {REFUSED[judgement.kind]}: {judgement.reason}; --anew if that is wanted"
            found.setdefault(one.cell, said)
    return found


def day_of(started: str) -> date:
    """The day of a run's start. Raises `UsageError` for what is no time."""
    try:
        return datetime.fromisoformat(started).date()
    except ValueError as error:
        raise UsageError(f"the run's start {started!r} is no ISO 8601 time such as 2026-11-23T10:00:00Z") from error


def weaker(measured: Measurement, entry: Expectation | None, header: RunHeader, *, new: bool) -> str:
    """Why what is stored is better than this measurement; empty where it is not."""
    if entry is None:
        return ""
    if new:
        return "has an expectation already"
    if entry.retired or other_conditions(measured, entry) or other_data(entry, header.where):
        return ""  # another quantity, of which nothing is stored
    if (entry.seeds or 0) > len(measured.seeds) > 0:
        return f"stored from {entry.seeds} seeds, measured with {len(measured.seeds)}; run it with as many"
    if (entry.processes or 0) > measured.processes:
        return (
            f"stored from {entry.processes} processes, measured in {measured.processes}; "
            f"run it with as many (--processes {entry.processes})"
        )
    return _contradiction(measured, entry, header.where.machine)


def drift_doubt(measured: Measurement, entry: Expectation | None, header: RunHeader, timings: int) -> str:
    """Why a run must not widen the bound that it breaks; empty where the gate does not call it regressed."""
    if entry is None:
        return ""
    judgement = judge(measured, entry, quiet=True, today=day_of(header.started), timings=timings)
    if judgement.kind is not VerdictKind.REGRESSED:
        return ""
    return f"has regressed, so it does not widen its bound: {judgement.reason}; {RESET}"


def bound_doubt(entry: Expectation, before: Expectation | None) -> str:
    """Why runs together give a ratio no bound worth having: it would accept the loss of more than half."""
    if METRICS[entry.metric].judged != "interval" or entry.low is None or before is None or len(entry.seen) <= 1:
        return ""
    lowest = entry.value / 2 if before.low is None else min(entry.value / 2, before.low)
    if entry.low >= lowest:
        return ""
    runs = ", ".join(f"{value:g}" for value in entry.seen.values())
    return (
        f"with this run its bound would be {entry.low:g}, below half of the value {entry.value:g} (runs: {runs}); "
        f"{RESET}"
    )


def is_timed(measured: Measurement) -> bool:
    """Whether the figure is a time, or a ratio of times."""
    return measured.unit in ABSOLUTE_UNITS or METRICS[measured.metric].judged == "interval"


def from_too_few(measured: Measurement) -> bool:
    """Whether the figure is a ratio of times from so few processes that its noise is not known."""
    return METRICS[measured.metric].judged == "interval" and measured.processes < ENOUGH_PROCESSES


def _timing_doubt(measured: Measurement, header: RunHeader, biased: Mapping[tuple[str, str], str]) -> str:
    if not header.quiet:
        return "a timing outside a quiet process; run it through `suite bench`"
    return biased.get((measured.cell.workload, measured.cell.device), "")


def _too_few(measured: Measurement) -> str:
    plural = "process" if measured.processes == 1 else "processes"
    return (
        f"a ratio from {measured.processes} {plural}, fewer than {ENOUGH_PROCESSES}, whose noise is not known; "
        "run it with --expect=record and without --quick, or with --processes 5"
    )


def _contradiction(measured: Measurement, entry: Expectation, machine: str) -> str:
    """Exact means equal everywhere: another machine's other figure says that it is not, or that the code changed."""
    if measured.tier != "exact":
        return ""
    others = {key: value for key, value in entry.seen.items() if key != machine and value != measured.value}
    if not others:
        return ""
    told = ", ".join(f"{value!r} on {key}" for key, value in sorted(others.items()))
    return (
        f"exact figures are equal on every machine, but it is {told} and {measured.value:g} here; "
        f"if it changed on purpose, delete the entry at {entry.path}:{entry.line} and record it on each machine; if it "
        f"depends on trained weights, declare @technique(sizes_follow_weights=({measured.metric!r},))"
    )
