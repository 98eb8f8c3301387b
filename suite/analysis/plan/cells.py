"""Measured cells to choose among, and the score that says which is best."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from suite.core.composition import BASELINE
from suite.core.errors import UsageError, unknown
from suite.core.metrics import METRICS, VS_CONTROL, place
from suite.core.records import Cell, CellFailure, Measurement, Metric, RunHeader
from suite.report.columns import OWN_COPY

Place = tuple[str, str]
"""A workload and a device: cells of one place are alternatives."""
UNKNOWN = "-"  # the workload or device of a table that does not say which


@dataclass(frozen=True, kw_only=True)
class Cells:
    """What a run measured: the figures of each cell by metric, and the primary score of each workload.

    ``header`` is the run's, where there is one; ``problem`` says that the run did not come to its end.
    """

    figures: Mapping[Cell, Mapping[str, Measurement]]
    scores: Mapping[str, str]
    failures: tuple[CellFailure, ...] = ()
    header: RunHeader | None = field(default=None, repr=False)
    problem: str = ""

    def places(self) -> tuple[Place, ...]:
        """Every workload and device with a measured cell, in order of name."""
        return tuple(sorted({(cell.workload, cell.device) for cell in self.figures}))

    def at(self, place: Place) -> dict[str, Mapping[str, Measurement]]:
        """The figures of each composition at one place, in order of name: no answer depends on that of the cells."""
        here = [cell for cell in self.figures if (cell.workload, cell.device) == place]
        return {cell.technique: self.figures[cell] for cell in sorted(here)}

    def known(self) -> dict[str, Metric]:
        """The catalogue, and the metrics that these figures bring themselves (scores of a user's own)."""
        own = {m.metric: _metric(m) for by_metric in self.figures.values() for m in by_metric.values()}
        return {**own, **METRICS}

    def only(self, workloads: Iterable[str]) -> Cells:
        """The cells of these workloads; all where none is named. Raises `UsageError` for one without a cell."""
        wanted, there = set(workloads), {cell.workload for cell in self.figures}
        for name in sorted(wanted - there):
            raise unknown("workload", name, there)
        figures = {cell: own for cell, own in self.figures.items() if cell.workload in (wanted or there)}
        failures = tuple(failure for failure in self.failures if failure.cell.workload in (wanted or there))
        return replace(self, figures=figures, failures=failures)


def gathered(
    measurements: Iterable[Measurement],
    *,
    scores: Mapping[str, str] | None = None,
    failures: Iterable[CellFailure] = (),
    header: RunHeader | None = None,
) -> Cells:
    """Measurements as cells; a workload without a given score has the first that was measured."""
    figures: dict[Cell, dict[str, Measurement]] = {}
    for found in map(_by_definition, measurements):
        figures.setdefault(found.cell, {})[found.metric] = found
    named = {**_first_scores(figures), **(scores or {})}
    return Cells(figures=figures, scores=named, failures=tuple(failures), header=header)


def _by_definition(found: Measurement) -> Measurement:
    """The baseline's ratios of times are 1: what is measured of them is how its own copy compares."""
    own = found.cell.technique == BASELINE and found.metric in OWN_COPY
    return replace(found, value=1.0, low=1.0, high=1.0, suspect=None) if own else found


def _first_scores(figures: Mapping[Cell, Mapping[str, Measurement]]) -> dict[str, str]:
    """For each workload the first measured metric, in the catalogue's order, that is a score."""
    names: dict[str, set[str]] = {}
    for cell, by_metric in figures.items():
        names.setdefault(cell.workload, set()).update(name for name in by_metric if name + VS_CONTROL in METRICS)
    return {workload: min(found, key=place) for workload, found in names.items() if found}


def _metric(found: Measurement) -> Metric:
    return Metric(name=found.metric, unit=found.unit, better=found.better, tier=found.tier, group=found.group)


def score_of(found: Cells, workload: str) -> Metric:
    """What the primary score of a workload is. Raises `UsageError` where it has none."""
    name = found.scores.get(workload)
    if name is None:
        raise UsageError(f"{workload} has no score to rank its cells by; name a metric with --score")
    return found.known()[name]
