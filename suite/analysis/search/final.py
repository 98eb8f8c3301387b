"""The end of a search: its winners measured again, now on the test items, over several seeds, against the baseline."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from suite.analysis.search.objectives import Aims
from suite.analysis.search.trials import TrialError, against_baseline, groups_of
from suite.core.metrics import VS_CONTROL
from suite.core.records import Measurement
from suite.core.units.quantities import spell
from suite.registry import Registry, Workload

if TYPE_CHECKING:
    from suite.bench.run import Run

SPEEDUP = "speedup"


@dataclass(kw_only=True)
class Final(AbstractContextManager["Final"]):
    """Measures winners on the test; the ``run`` belongs to the workload itself."""

    run: Run
    registry: Registry
    workload: Workload
    device: str
    aims: Aims

    def __exit__(self, *details: object) -> None:
        from suite.bench.pipeline import finish

        finish(self.run)
        self.run.__exit__(*details)

    @property
    def metrics(self) -> tuple[str, ...]:
        """What is measured: what was aimed at, the speed-up and the primary score."""
        primary = self.workload.primary
        return (*self.aims.metrics, SPEEDUP, *(() if primary is None else (primary.name,)))

    def line(self, text: str) -> str:
        """Measure a winner and say what it brings. Raises `TrialError` where it fails."""
        found = against_baseline(self.registry, self.workload, text, self.device)
        from suite.bench.pipeline import measure_group

        try:
            for group in groups_of(self.metrics):
                measure_group(self.run, found, group)
        finally:
            self.run.bench.release(found, found)
        failed = [failure.reason for failure in self.run.folder.failures() if failure.cell == found.cell]
        if failed:
            raise TrialError(f"{text} was found, but failed when it was measured again: {failed[0]}")
        figures = {m.metric: m for m in self.run.folder.measurements() if m.cell == found.cell}
        seeds = len(self.run.bench.plan.seeds_of(baseline=True))
        primary = self.workload.primary
        return said(text, figures, self.aims, primary=primary.name if primary else None, seeds=seeds)


def said(text: str, figures: dict[str, Measurement], aims: Aims, *, primary: str | None, seeds: int) -> str:
    """What was found, its paired speed-up, the difference to the baseline over the seeds, and bounds that broke."""
    parts = [f"found: {text}", f"speedup {_interval(figures[SPEEDUP], 1, 'x')}"] if SPEEDUP in figures else [text]
    difference = figures.get(f"{primary}{VS_CONTROL}")
    if difference is not None:
        scale, unit = (100, " points") if difference.unit == "1" else (1, f" {difference.unit}")
        parts.append(f"{primary} difference {_interval(difference, scale, unit)} over {_seeds(seeds)}")
    return "; ".join([", ".join(parts), *broken(figures, aims)])


def broken(figures: dict[str, Measurement], aims: Aims) -> Sequence[str]:
    """The bounds that do not hold on the test items, each with what was measured there."""
    missed = [b for b in aims.budgets if b.metric in figures and not b.holds(figures[b.metric].value)]
    return [f"{b} does not hold on the test: {spell(figures[b.metric].value, b.unit, bound=b.limit)}" for b in missed]


def _interval(figure: Measurement, scale: float, unit: str) -> str:
    value = f"{scale * figure.value:.3g}"
    mark = " ?" if figure.suspect else ""
    if figure.low is None or figure.high is None:
        return f"{value}{unit}{mark}"
    return (
        f"{value}{unit if unit == 'x' else ''} [{scale * figure.low:.3g}, {scale * figure.high:.3g}]"
        + ("" if unit == "x" else unit)
        + mark
    )


def _seeds(count: int) -> str:
    return f"{count} seed{'' if count == 1 else 's'}"
