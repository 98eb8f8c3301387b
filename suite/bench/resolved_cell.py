"""A cell with everything that its name stands for, looked up once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from suite.core.errors import OrderError
from suite.core.records import GROUPS, Cell, Group
from suite.registry import Composition, Registry, Workload
from suite.training.recipe import SAME_NETWORK, SAME_STEP

Part = Literal["inference", "training"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Case:
    """What the stages of a run work with: the resolved workload, composition and control of one cell."""

    cell: Cell
    workload: Workload
    composition: Composition
    control: Composition
    items: int | None = None
    """Items of a served batch where it is not the workload's."""
    groups: tuple[Group, ...] = GROUPS
    """The groups of metrics that a run measures of it."""
    refused: str | None = None
    """Why it is unavailable wherever it runs: its composition was spelled in a wrong order."""

    def __str__(self) -> str:
        return str(self.cell)

    __repr__ = __str__  # in pytest's reports

    @property
    def batch(self) -> int:
        """Items of a served batch."""
        return self.workload.batch_on(self.cell.device) if self.items is None else self.items

    @property
    def trains_differently(self) -> bool:
        """Whether a training step of this cell is to be timed: the baseline's, and one that a technique changes.

        What comes trained has none: it need not even have a loss.
        """
        if self.workload.comes_trained:
            return False
        return self.composition.is_baseline or bool(self.composition.slots - frozenset(SAME_STEP))

    @property
    def serves_differently(self) -> bool:
        """Whether more than the values of weights differs in what is served: its speed is then worth a close look."""
        return self.composition.is_baseline or bool(self.composition.slots - frozenset(SAME_NETWORK))

    @property
    def timeable(self) -> tuple[Part, ...]:
        """What can be timed at all: serving always, training where it is not the baseline's own."""
        return ("inference", "training") if self.trains_differently else ("inference",)

    @property
    def timed(self) -> tuple[Part, ...]:
        """What fresh processes time again."""
        parts: dict[Part, bool] = {"inference": self.serves_differently, "training": self.trains_differently}
        return tuple(part for part, holds in parts.items() if holds)

    @property
    def changes_weights(self) -> bool:
        """Whether what is served depends on the seed: not for a checkpoint that nobody fine-tunes."""
        return not self.workload.comes_trained or "finish" in self.composition.slots

    @property
    def as_control(self) -> Case | None:
        """The case of the control, which is trained for this one; ``None`` where it is the baseline."""
        if self.control.is_baseline:
            return None
        return replace(self, cell=replace(self.cell, technique=self.control.name), composition=self.control)

    @property
    def compiles(self) -> bool:
        return "compiler" in self.composition.needs


def refused(registry: Registry, workload: Workload, error: OrderError, device: str) -> Case:
    """The case of a misordered composition under the name that was given: unavailable, with the right spelling.

    Raises `CompositionError` if the right order contradicts itself too.
    """
    right = case(registry, workload, error.ordered, device)
    return replace(right, cell=replace(right.cell, technique=error.given), refused=error.problem)


def case(registry: Registry, workload: Workload, composition: str, device: str, items: int | None = None) -> Case:
    """The case of a composition's text, served in batches of ``items`` if given.

    Raises `UsageError` for a name or parameter that does not exist.
    """
    resolved = registry.resolve(composition)
    return Case(
        cell=Cell(workload=workload.name, technique=resolved.name, device=device, ranks=resolved.ranks),
        workload=workload,
        composition=resolved,
        control=registry.control(resolved),
        items=items,
    )
