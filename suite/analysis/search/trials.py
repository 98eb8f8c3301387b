"""Trials: the suite's bench measures compositions on validation items and keeps the values in a run's folder."""

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
    """A composition that could not be measured, with the reason."""


def against_baseline(registry: Registry, workload: Workload, text: str, device: str) -> Case:
    """The case of a composition with the plain baseline as its control, for quality as for speed."""
    return replace(case(registry, workload, text, device), control=registry.baseline)


def groups_of(metrics: Sequence[str]) -> tuple[Group, ...]:
    """The groups of these metrics, in the order in which a bench measures them."""
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
        """Why a composition cannot be measured here, without training it; `None` if it can."""
        try:
            resolved = self._case(text)
            resolved.composition.apply(self.workload.recipe(0))
            self.run.bench.require(resolved)
        except RegistrationError:
            return None  # an error of the technique, which its trial reports
        except (UsageError, UnavailableError) as error:
            return str(error)
        except Exception:  # noqa: BLE001  # likewise
            return None
        return None

    def measure(self, text: str) -> Figures:
        """The metrics of a composition, including the objectives.

        A composition that trains as the baseline does gets the baseline's values of metrics that depend on training
        alone. Raises `TrialError` for a composition that fails, or that gives no value of a metric.
        """
        resolved = self._case(text)
        if resolved.composition.is_baseline and self._baseline:
            return self._baseline
        try:
            own = self._measured(resolved)
        finally:
            self.run.bench.release(resolved, resolved)  # the next one is of the same workload
        figures = own if resolved.trains_differently else {**self._training_figures(), **own}
        missing = [name for name in self.metrics if name not in figures]
        if missing:
            raise TrialError(f"{text} has no {', '.join(missing)}")
        if resolved.composition.is_baseline:
            self._baseline = figures
        return figures

    def _case(self, text: str) -> Case:
        return against_baseline(self.registry, self.workload, text, self.device)

    def _measured(self, resolved: Case) -> Figures:
        from suite.bench.pipeline import measure_group

        for group in groups_of(self.metrics):
            measure_group(self.run, resolved, group)
        failed = [failure.reason for failure in self.run.folder.failures() if failure.cell == resolved.cell]
        if failed:
            raise TrialError(failed[0])
        there = [m for m in self.run.folder.measurements() if m.cell == resolved.cell]
        return {m.metric: (m.value, m.low, m.high) for m in there}

    def _training_figures(self) -> Figures:
        return {name: figure for name, figure in self._baseline.items() if name in OF_A_STEP}


OF_A_STEP = frozenset({"train_step_speedup", "held_memory_training", "peak_memory_training"})
"""Metrics of a training step: not measured where a composition leaves the step as it is."""
