"""Trained networks by workload, composition and seed: training happens once, however many tests look."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from functools import partial
from weakref import WeakSet

import torch
from torch import nn

from suite.bench.integrity import State
from suite.bench.training_cache import Asked, Stage, Trainings
from suite.core.composition import BASELINE
from suite.measure.quality import goal
from suite.registry import Composition, Registry, Workload
from suite.training import invariants
from suite.training.copying import copied
from suite.training.devices import own_random_numbers
from suite.training.loop import Report, Trained, finish, fit, untrained
from suite.training.recipe import Recipe, Splits, same

Reporter = Callable[[str, str], Report | None]  # (workload, composition) -> where its progress goes
Key = tuple[str, str, int]


@dataclass(kw_only=True)
class TrainedStore:
    """Trains on demand and remembers. ``trains=False`` builds structures only (worker processes)."""

    registry: Registry
    device: str
    trains: bool = True
    reporter: Reporter = lambda _workload, _composition: None
    splits: Splits | None = None
    """Data to use instead of loading them (a worker process receives its parent's)."""
    cache: Trainings | None = None
    """Trainings of earlier runs to take instead of training."""
    reused: set[Key] = field(default_factory=set)
    """The workload, composition and seed of every network that an earlier run trained."""
    states: dict[str, State] = field(default_factory=dict)
    """By workload, what the baseline of seed 0 was when it had been trained."""
    _references: dict[Key, nn.Module] = field(default_factory=dict)
    _fitted: dict[Key, Trained] = field(default_factory=dict)
    _finished: dict[Key, Trained] = field(default_factory=dict)
    _placed: WeakSet[nn.Module] = field(default_factory=WeakSet)

    def recipe(self, workload: Workload, composition: Composition, seed: int) -> Recipe:
        """The workload's plain recipe after the composition has changed it."""
        return composition.apply(self.plain(workload, seed))

    def plain(self, workload: Workload, seed: int) -> Recipe:
        """The workload's own recipe. Raises `TypeError` if its function returns anything else."""
        return workload.plain(seed, self.splits)

    def get(self, workload: Workload, composition: Composition, seed: int) -> Trained:
        """The trained network of a composition, trained now if it was not before."""
        key = (workload.name, composition.name, seed)
        if key not in self._finished:
            self._finished[key] = self._finish(workload, composition, seed)
            if self._finished[key].reused:
                self.reused.add(key)
            if composition.is_baseline and seed == 0:
                self.states[workload.name] = State.of(self._finished[key].network)
        return self._unparked(self._finished, key)

    def reference(self, workload: Workload, seed: int) -> Callable[[str], nn.Module]:
        """Looks up the trained network of another composition by its text.

        A loss may ask in the midst of its own training and without gradients: a network that has to be trained first
        has them, and draws none of that training's random numbers. What is handed out is a copy: hooks on it, or other
        weights, are no change of the network that is measured.
        """

        def ask(text: str) -> nn.Module:
            composition = self.registry.resolve(text)
            key = (workload.name, composition.name, seed)
            if key not in self._references:  # every step asks: once only
                with torch.enable_grad(), own_random_numbers(self.device):
                    self._references[key] = copied(self.get(workload, composition, seed).network)
            return self._references[key]

        return ask

    def reuses(self, workload: str, compositions: Collection[str]) -> bool:
        """Whether an earlier run trained a network of one of the compositions."""
        return any(name == workload and composition in compositions for name, composition, _ in self.reused)

    def park(self, workload: Workload, seed: int) -> None:
        """Move all networks of a seed (fits and teachers too) to the host until they are asked for again.

        An accelerator's memory is for what is timed.
        """
        if self.device.startswith("cpu"):
            return
        self._references.clear()
        for table in (self._fitted, self._finished):
            for (name, _, of_seed), found in table.items():
                if (name, of_seed) == (workload.name, seed):
                    found.network.to("cpu")
                    self._placed.discard(found.network)

    def release(self, workload: Workload, keep: frozenset[str] = frozenset({BASELINE})) -> None:
        """Drop all references, and the networks of ``workload`` trained under compositions not in ``keep``."""
        self._references.clear()
        for table in (self._fitted, self._finished):
            for key in [key for key in table if key[0] == workload.name and key[1] not in keep]:
                del table[key]

    def clear(self) -> None:
        """Forget everything (before another workload starts)."""
        self._references.clear()
        self.states.clear()
        self._fitted.clear()
        self._finished.clear()

    def _finish(self, workload: Workload, composition: Composition, seed: int) -> Trained:
        recipe = self.recipe(workload, composition, seed)

        def make() -> Trained:
            fitted = self._fit(workload, self.registry.training_part(composition), seed)
            made = finish(
                fitted, recipe, reference=self.reference(workload, seed), trains=self.trains and workload.trains,
                report=self.reporter(workload.name, composition.name),
            )  # fmt: skip
            invariants.check(invariants.tied(fitted.network, composition.last), made.network)
            return replace(made, reused=fitted.reused)

        if recipe.finish is same:
            return make()  # the fit itself, which is kept as such
        return self._kept("finish", workload, composition, seed, make)

    def _kept(
        self, stage: Stage, workload: Workload, composition: Composition, seed: int, make: Callable[[], Trained]
    ) -> Trained:
        """What an earlier run trained where it may be reused, else what ``make`` trains."""
        if self.cache is None or not (self.trains and workload.trains):
            return make()
        plain, recipe = self.plain(workload, seed), self.recipe(workload, composition, seed)
        asked = Asked(
            stage=stage, workload=workload.name, composition=composition.name, seed=seed, device=self.device,
            plain=plain, recipe=recipe,
        )  # fmt: skip
        return self.cache.get(asked, make)

    def _fit(self, workload: Workload, part: Composition, seed: int) -> Trained:
        key = (workload.name, part.name, seed)
        if key not in self._fitted:
            recipe = self.recipe(workload, part, seed)
            if self.trains and workload.source == "train":
                make = partial(
                    fit, recipe, seed=seed, device=self.device, reference=self.reference(workload, seed),
                    goal=goal(workload), report=self.reporter(workload.name, part.name),
                )  # fmt: skip
                self._fitted[key] = self._kept("fit", workload, part, seed, make)
            else:
                self._fitted[key] = untrained(recipe, seed=seed, device=self.device)
        return self._unparked(self._fitted, key)

    def _unparked(self, table: dict[Key, Trained], key: Key) -> Trained:
        """A loss may ask at every step: a network that lies on the device already is not walked through again."""
        network = table[key].network
        if network not in self._placed:
            network.to(self.device)
            self._placed.add(network)
        return table[key]
