"""``suite curves fit --from``: the points of a sweep that a bench run measured."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from suite.analysis.scaling.compare import CurvePoints
from suite.core.composition import parse
from suite.core.errors import ResultsError, UsageError, unknown
from suite.core.records import Measurement
from suite.core.sweeps import Sweep, is_number, sweeps
from suite.report.results.folder import RunFolder

LEAST_POINTS = 5  # with fewer not even a family of two parameters has a criterion (AICc) to be preferred by


def series(folder: Path, *, technique: str, along: str, quality: str, workload: str | None = None) -> CurvePoints:
    """The metric ``quality`` of a run against the parameter ``along`` of ``technique``, all else equal.

    ``technique`` is a name, or the composition without that parameter where the run holds several such sweeps. Raises
    `UsageError` for names that the run does not hold or that choose several sweeps, `ResultsError` for too few points
    and for values that are no positive numbers.
    """
    measured = _measured(RunFolder.open(folder), quality, workload)
    found = sweeps(measured, least=1)
    sweep = _chosen(found, technique, along)
    points = found[sweep]
    if len(points) < LEAST_POINTS:
        raise ResultsError(
            f"{folder} holds {len(points)} of the {LEAST_POINTS} points that a curve of {quality} along {sweep.name} "
            f"needs at least; measure more values in one run: `suite bench --sweep --technique {sweep.technique} "
            f"--technique '{sweep.technique}({sweep.parameter}=...)'`"
        )
    return _series(sweep, points, measured)


def _measured(run: RunFolder, quality: str, workload: str | None) -> dict[str, Measurement]:
    """The metric of each composition, of one workload on one device."""
    every = run.measurements()
    metrics = dict.fromkeys(found.metric for found in every)
    if quality not in metrics:
        raise unknown("metric of this run", quality, metrics)
    workloads = dict.fromkeys(found.cell.workload for found in every if found.metric == quality)
    if workload is not None and workload not in workloads:
        raise unknown("workload of this run", workload, workloads)
    if workload is None and len(workloads) > 1:
        raise UsageError(f"the run holds {quality} of {', '.join(workloads)}; choose with --workload")
    chosen = workload or next(iter(workloads))
    return {found.cell.technique: found for found in every if (found.cell.workload, found.metric) == (chosen, quality)}


def _chosen(found: Mapping[Sweep, Any], technique: str, along: str) -> Sweep:
    names = {member.name for sweep in found for member in parse(sweep.rest)}
    own = [sweep for sweep in found if technique in (sweep.technique, sweep.rest)]
    if not own:
        raise unknown("technique of this run", technique, (*names, *(sweep.rest for sweep in found)))
    fitting = [sweep for sweep in own if along in (sweep.parameter, sweep.name)]
    if not fitting:
        raise unknown(f"parameter of {technique}", along, dict.fromkeys(sweep.parameter for sweep in own))
    longest = max(len(found[sweep]) for sweep in fitting)
    best = [sweep for sweep in fitting if len(found[sweep]) == longest]
    if len(best) > 1 and longest > 1:
        several = ", ".join(sweep.rest for sweep in best)
        raise UsageError(f"the run sweeps {along} in {several}; choose one of them as --technique")
    return best[0]


def _series(sweep: Sweep, points: Mapping[Any, str], measured: Mapping[str, Measurement]) -> CurvePoints:
    for value in points:
        if not is_number(value) or value <= 0:
            raise ResultsError(
                f"{sweep.name} has the value {value!r}: a curve needs positive numbers, such as a sparsity or a width"
            )
    found = [measured[name] for name in points.values()]
    return CurvePoints(
        resource=np.array([float(value) for value in points]),
        quality=np.array([one.value for one in found]),
        better=found[0].better,
    )
