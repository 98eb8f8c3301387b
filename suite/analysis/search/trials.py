"""Trials: compositions measured on validation items by the suite's own bench, their figures kept in a run's folder."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from suite.analysis.search.objectives import Figures
from suite.bench.resolved_cell import Case, case
from suite.core.errors import RegistrationError, SuiteError, UnavailableError, UsageError
from suite.core.metrics import metric
from suite.core.records import GROUPS, Group
from suite.registry import Registry, Workload

if TYPE_CHECKING:
    from suite.bench.run import Run


class TrialError(SuiteError):
    """A composition that was to be measured brought no figures; says why."""


def against_baseline(registry: Registry, workload: Workload, text: str, device: str) -> Case:
    """The case of a composition whose quality is compared with the plain baseline's, as its speed is."""
    return replace(case(registry, workload, text, device), control=registry.baseline)


def groups_of(metrics: Sequence[str]) -> tuple[Group, ...]:
    """The groups that hold these metrics, in the order in which a bench measures them."""
    wanted = {metric(name).group for name in metrics}
    return tuple(group for group in GROUPS if group in wanted)


@dataclass(kw_only=True)
class Trials(AbstractContextManager["Trials"]):
    """Measures one composition after the other; ``run`` belongs to a workload without its test items."""

    run: Run
    registry: Registry
    workload: Workload
    device: str
    metrics: Sequence[str]
    _baseline: Figures = field(default_factory=dict)

    def __exit__(self, *details: object) -> None:
        from suite.bench.pipeline import finish

        if self.run.folder.measurements():
            finish(self.run)
        self.run.__exit__(*details)

    def refusal(self, text: str) -> str | None:
        """Why a composition cannot be measured here, found without training; `None` where it can."""
        try:
            found = self._case(text)
            found.composition.apply(self.workload.recipe(0))
            self.run.bench.require(found)
        except RegistrationError:
            return None  # the technique's own fault, told by its trial
        except (UsageError, UnavailableError) as error:
            return str(error)
        except Exception:  # noqa: BLE001  # likewise
            return None
        return None

    def measure(self, text: str) -> Figures:
        """The figures of a composition, the metrics that are aimed at among them.

        What training alone decides is the baseline's where a composition trains as the baseline does. Raises
        `TrialError` for a composition that fails, and for one that brings no figure of a metric.
        """
        found = self._case(text)
        if found.composition.is_baseline and self._baseline:
            return self._baseline
        try:
            own = self._measured(found)
        finally:
            self.run.bench.release(found, found)  # the next one is of the same workload
        figures = own if found.trains_differently else {**self._training_figures(), **own}
        missing = [name for name in self.metrics if name not in figures]
        if missing:
            raise TrialError(f"{text} has no {', '.join(missing)}")
        if found.composition.is_baseline:
            self._baseline = figures
        return figures

    def _case(self, text: str) -> Case:
        return against_baseline(self.registry, self.workload, text, self.device)

    def _measured(self, found: Case) -> Figures:
        from suite.bench.pipeline import measure_group

        for group in groups_of(self.metrics):
            measure_group(self.run, found, group)
        failed = [failure.reason for failure in self.run.folder.failures() if failure.cell == found.cell]
        if failed:
            raise TrialError(failed[0])
        there = [m for m in self.run.folder.measurements() if m.cell == found.cell]
        return {m.metric: (m.value, m.low, m.high) for m in there}

    def _training_figures(self) -> Figures:
        return {name: figure for name, figure in self._baseline.items() if name in OF_A_STEP}


OF_A_STEP = frozenset({"train_step_speedup", "held_memory_training", "peak_memory_training"})
"""Metrics of a training step: not measured where a composition leaves the step as it is."""
