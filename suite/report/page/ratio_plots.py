"""Paired ratios of timings, round by round, beside the value, its interval, its bound and what it could have found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from suite.core.errors import ResultsError
from suite.core.records import Measurement, Verdict
from suite.report.foreign import printable
from suite.report.frames import SEVERITY
from suite.report.page.plot_values import Plain, short, thinned
from suite.report.page.run_content import JudgedMeasurement, RunContent, labelled
from suite.report.results.folder import RunFolder

MOST_TIMINGS = 40
MOST_ROUNDS = 400  # of one timing that are drawn
RATIOS = ("speedup", "speedup_b1", "speedup_saturated")
"""Ratios whose rounds are seconds of the baseline / seconds of the technique of one turn."""


def ratio_plots(runs: Sequence[RunContent]) -> Plain:
    """The timings that have raw samples, those whose verdict needs attention first."""
    timings = [
        judged for run, label in labelled(runs) for judged in run.judged(label) if _is_paired(judged.measurement)
    ]
    timings.sort(key=lambda judged: _severity(judged.verdict))
    return {"plots": list(islice(_drawn(timings), MOST_TIMINGS)), "all": len(timings)}


def _is_paired(measurement: Measurement) -> bool:
    return measurement.metric in RATIOS and measurement.samples is not None


def _severity(verdict: Verdict | None) -> int:
    return len(SEVERITY) if verdict is None else SEVERITY.index(verdict.kind)


def _drawn(timings: Sequence[JudgedMeasurement]) -> Iterator[Plain]:
    for timing in timings:
        rounds = _rounds(timing.run.folder, timing.measurement)
        if rounds:
            yield _ratio(timing, rounds)


def _rounds(folder: RunFolder, measurement: Measurement) -> list[float]:
    """Seconds of the baseline / seconds of the technique, round by round; none where the file is gone or differs."""
    try:
        samples = folder.read_samples(str(measurement.samples))
    except (ResultsError, OSError, ValueError):
        return []
    seconds = dict(iter(samples.groupby("series")["value"]))
    baseline, technique = seconds.get("seconds_baseline"), seconds.get("seconds_technique")
    if baseline is None or technique is None or len(baseline) != len(technique):
        return []
    return [a / b for a, b in zip(baseline, technique, strict=True) if b > 0]


def _ratio(timing: JudgedMeasurement, rounds: Sequence[float]) -> Plain:
    measurement, stored = timing.measurement, timing.stored
    return {
        "name": printable(f"{measurement.cell.workload} {measurement.cell.technique} {measurement.metric}"),
        "machine": timing.label,
        "rounds": [short(value) for value in thinned(rounds, MOST_ROUNDS)],
        "count": len(rounds),
        "value": short(measurement.value),
        "low": short(measurement.low),
        "high": short(measurement.high),
        "bound": short(None if stored is None else stored.low),
        "detectable": short(_detectable(timing)),
        "verdict": timing.verdict and timing.verdict.kind.value,
        "disturbed": measurement.suspect and printable(measurement.suspect),
    }


def _detectable(timing: JudgedMeasurement) -> float | None:
    """The stored value less the minimum detectable loss, which is a share of it."""
    least = None if timing.verdict is None else timing.verdict.detectable
    return None if timing.stored is None or least is None else timing.stored.value * (1 - least)
