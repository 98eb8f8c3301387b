"""One run: trains each cell once and measures the groups of metrics that are asked for."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import torch

from suite.composition import BASELINE
from suite.errors import UnavailableError
from suite.machine.needs import missing_need
from suite.measure import memory, size, speed
from suite.measure.fresh import Workers, replicated
from suite.measure.timing import Sample
from suite.records import Cell, Group, Measurement
from suite.registry import TRAINING_SLOTS, Registry, Workload
from suite.run.cells import Profile
from suite.run.store import Reporter, TrainedStore
from suite.scores import quality
from suite.training.devices import select_device
from suite.training.loop import Trained
from suite.training.serving import Served, fill_up, serve, warm_up

KeepSamples = Callable[[Cell, str, Mapping[str, np.ndarray]], str | None]  # returns the name they are kept under


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How much is measured. ``processes`` counts this one; ``fresh`` adds the passes in processes of their own."""

    profile: Profile = "default"
    seeds: int = 5
    processes: int = 1

    @property
    def fresh(self) -> bool:
        return self.profile != "quick"

    @property
    def budget(self) -> speed.Budget:
        return speed.QUICK if self.profile == "quick" else speed.Budget()

    def seeds_of(self, technique: str) -> range:
        """Quick runs train the baseline on three seeds and everything else on one."""
        if self.profile == "quick":
            return range(min(self.seeds, 3 if technique == BASELINE else 1))
        return range(self.seeds)


@dataclass(kw_only=True)
class Bench:
    """Measures cells one after the other; trained networks are shared by a cell's groups and with its control."""

    registry: Registry
    device: str
    plan: Plan
    keep: KeepSamples = lambda _cell, _name, _columns: None
    reporter: Reporter = lambda _workload, _composition: None
    store: TrainedStore = field(init=False)
    samples: Mapping[str, Sample] = field(default_factory=dict)
    """The paired samples of the speed group that was measured last."""
    _served: dict[tuple[str, str], Served] = field(default_factory=dict)
    _saturated: dict[str, int] = field(default_factory=dict)
    _outcomes: dict[tuple[str, str], dict[int, quality.SeedOutcome]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        select_device(self.device)
        self.store = TrainedStore(registry=self.registry, device=self.device, reporter=self.reporter)

    def measure(self, cell: Cell, group: Group) -> list[Measurement]:
        """All metrics of one group of a cell.

        Raises `UnavailableError` if the cell cannot run here; whatever a technique raises passes through.
        """
        self.require(cell)
        groups: Mapping[Group, Callable[[Cell], list[Measurement]]] = {
            "quality": self._quality,
            "size": self._size,
            "speed": self._speed,
            "memory": self._memory,
        }
        return groups[group](cell)

    def groups(self, cell: Cell) -> tuple[Group, ...]:
        """The groups of metrics that the cell's workload has."""
        labelled = self._workload(cell).labels
        return ("quality", "size", "speed", "memory") if labelled else ("size", "speed", "memory")

    def require(self, cell: Cell) -> None:
        """Raise `UnavailableError` with the reason if a need of the workload or the composition is not met here."""
        workload = self._workload(cell)
        needs = (*workload.needs, *self.registry.resolve(cell.technique).needs)
        for need in dict.fromkeys(needs):
            if need == "labels":
                reason = None if workload.labels else f"{workload.name} has no labels to learn from"
            else:
                reason = missing_need(need, self.device)
            if reason:
                raise UnavailableError(reason)

    def release(self, cell: Cell, following: Cell | None) -> None:
        """Free what the next cell does not share."""
        same_workload = following is not None and following.workload == cell.workload
        if same_workload:
            self.store.release(cell.workload)
            self._served = {key: one for key, one in self._served.items() if key[1] == BASELINE}
        else:
            self.store.clear()
            self._served.clear()
            self._outcomes.clear()
        if "torch._dynamo" in sys.modules:  # otherwise nothing was compiled, and importing it takes seconds
            torch._dynamo.reset()  # noqa: SLF001  # the documented way to free compiled code
        if torch.device(self.device).type != "cpu":
            torch.accelerator.empty_cache()

    def repeat(self, cell: Cell) -> Mapping[str, Measurement]:
        """The timed metrics once more, in one fresh quiet process."""
        with Workers(load=self.registry.user_modules()) as workers:
            return self._in_processes(workers, cell, 1)[0]

    # -- groups -------------------------------------------------------------------------------------------------

    def _quality(self, cell: Cell) -> list[Measurement]:
        seeds = self.plan.seeds_of(cell.technique)
        control = self.registry.control(cell.technique)
        ours = self._outcomes_of(cell.workload, cell.technique, seeds)
        theirs = self._outcomes_of(cell.workload, control, seeds)
        return quality.quality(cell, ours, theirs, control)

    def _size(self, cell: Cell) -> list[Measurement]:
        return size.size(cell, self._trained(cell), self._serve(cell.workload, cell.technique))

    def _speed(self, cell: Cell) -> list[Measurement]:
        base, technique = self._base(cell), self._trained(cell)
        sides = speed.serving_sides(base, technique, is_baseline=cell.technique == BASELINE)
        saturating = self._saturating(cell, sides)
        timed = [speed.inference(cell, sides, self._inputs(cell), budget=self.plan.budget, saturating=saturating)]
        if self._trains_differently(cell):
            reference = self._reference(cell)
            timed.append(
                speed.training(cell, base.recipe, technique.recipe, reference=reference, budget=self.plan.budget)
            )
        self.samples = {name: sample for one in timed for name, sample in one.samples.items()}
        own = [measurement for one in timed for measurement in self._keep(cell, one)]
        return self._with_fresh_processes(cell, own)

    def _memory(self, cell: Cell) -> list[Measurement]:
        served = self._serve(cell.workload, cell.technique)
        found = memory.inference_memory(cell, served, self._inputs(cell))
        if self._trains_differently(cell):
            recipe = self._trained(cell).recipe
            found += memory.training_memory(cell, recipe, reference=self._reference(cell))
        if self.plan.fresh and torch.device(self.device).type == "cpu":
            with Workers(load=self.registry.user_modules()) as workers:
                found.append(workers.rss(cell, self._base(cell), self._trained(cell), batch=self._batch(cell)))
        return found

    # -- parts --------------------------------------------------------------------------------------------------

    def _keep(self, cell: Cell, timed: speed.Timed) -> list[Measurement]:
        """Keep the raw samples; the measurements then name what is kept."""
        columns = {name: sample.columns() for name, sample in timed.samples.items()}
        if timed.latency is not None:
            columns[speed.LATENCY] = {"seconds_technique": timed.latency}
        kept = {name: self.keep(cell, name, values) for name, values in columns.items()}
        return [replace(m, samples=kept[m.samples] if m.samples else None) for m in timed.measurements]

    def _with_fresh_processes(self, cell: Cell, own: list[Measurement]) -> list[Measurement]:
        if not self.plan.fresh:
            return own
        with Workers(load=self.registry.user_modules()) as workers:
            if self.plan.processes > 1:
                own = replicated(own, self._in_processes(workers, cell, self.plan.processes - 1))
            if "compiler" in self.registry.resolve(cell.technique).needs:
                slots = self.registry.resolve(cell.technique).slots
                own += workers.compile(
                    cell, self._base(cell), self._trained(cell), batch=self._batch(cell), training="prepare" in slots
                )
        return own

    def _in_processes(self, workers: Workers, cell: Cell, processes: int) -> list[dict[str, Measurement]]:
        return workers.speed(
            cell,
            self._base(cell),
            self._trained(cell),
            batch=self._batch(cell),
            training=self._trains_differently(cell),
            budget=speed.REPLICA,
            processes=processes,
            saturating=self._saturated.get(cell.workload),
        )

    def _outcomes_of(self, workload: str, composition: str, seeds: range) -> list[quality.SeedOutcome]:
        known = self._outcomes.setdefault((workload, composition), {})
        for seed in seeds:
            if seed not in known:
                known[seed] = self._outcome(workload, composition, seed)
        return [known[seed] for seed in seeds]

    def _outcome(self, workload: str, composition: str, seed: int) -> quality.SeedOutcome:
        trained = self.store.get(workload, composition, seed)
        served = self._serve(workload, composition) if seed == 0 else serve(trained)
        declared = self.registry.find_workload(workload)
        batch = declared.batch[self._batch_key]
        warm_up(served, served.prepare_inputs(fill_up(trained.recipe.data().test.inputs[:batch], batch)))
        return quality.outcome(trained, served, batch=batch, target=declared.target)

    def _serve(self, workload: str, composition: str) -> Served:
        """The served network of seed 0, kept while its cell is measured."""
        key = (workload, composition)
        if key not in self._served:
            self._served[key] = serve(self.store.get(workload, composition, 0))
        return self._served[key]

    def _saturating(self, cell: Cell, sides: Mapping[str, Served]) -> int | None:
        """The workload's saturating batch, found once, so that all its cells are timed at the same; none on a CPU."""
        if self._batch_key == "cpu":
            return None
        if cell.workload not in self._saturated:
            self._saturated[cell.workload] = speed.saturating_batch(sides[speed.BASE], self._inputs(cell))
        return self._saturated[cell.workload]

    def _trains_differently(self, cell: Cell) -> bool:
        slots = self.registry.resolve(cell.technique).slots
        return cell.technique == BASELINE or bool(slots & frozenset(TRAINING_SLOTS))

    def _inputs(self, cell: Cell) -> torch.Tensor:
        return fill_up(self._base(cell).recipe.data().test.inputs[: self._batch(cell)], self._batch(cell))

    def _reference(self, cell: Cell) -> Callable[[str], torch.nn.Module]:
        return lambda composition: self.store.get(cell.workload, composition, 0).network

    def _base(self, cell: Cell) -> Trained:
        return self.store.get(cell.workload, BASELINE, 0)

    def _trained(self, cell: Cell) -> Trained:
        return self.store.get(cell.workload, cell.technique, 0)

    def _workload(self, cell: Cell) -> Workload:
        return self.registry.find_workload(cell.workload)

    def _batch(self, cell: Cell) -> int:
        return self._workload(cell).batch[self._batch_key]

    @property
    def _batch_key(self) -> str:
        return "cpu" if torch.device(self.device).type == "cpu" else "accelerator"
