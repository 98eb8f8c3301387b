"""Trained networks by workload, composition and seed: training happens once, however many tests look."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from torch import nn

from suite.composition import BASELINE
from suite.registry import Composition, Registry, Workload
from suite.run.quality import goal
from suite.training.loop import Report, Trained, finish, fit, untrained
from suite.training.recipe import Recipe, Splits

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
    _fitted: dict[Key, Trained] = field(default_factory=dict)
    _finished: dict[Key, Trained] = field(default_factory=dict)

    def recipe(self, workload: Workload, composition: Composition, seed: int) -> Recipe:
        """The workload's plain recipe after the composition has changed it."""
        return composition.apply(self.plain(workload, seed))

    def plain(self, workload: Workload, seed: int) -> Recipe:
        """The workload's own recipe. Raises `TypeError` if its function returns anything else."""
        plain, splits = workload.recipe(seed), self.splits
        if not isinstance(plain, Recipe):
            raise TypeError(
                f"workload {workload.name!r} at {workload.where} must return a Recipe, it returned {plain!r}"
            )
        return plain if splits is None else replace(plain, data=lambda: splits)

    def get(self, workload: Workload, composition: Composition, seed: int) -> Trained:
        """The trained network of a composition, trained now if it was not before."""
        key = (workload.name, composition.name, seed)
        if key not in self._finished:
            self._finished[key] = finish(
                self._fit(workload, self.registry.training_part(composition), seed),
                self.recipe(workload, composition, seed),
                reference=self.reference(workload, seed),
                trains=self.trains and workload.trains,
                report=self.reporter(workload.name, composition.name),
            )
        return self._unparked(self._finished, key)

    def reference(self, workload: Workload, seed: int) -> Callable[[str], nn.Module]:
        """Looks up the trained network of another composition by its text."""
        return lambda text: self.get(workload, self.registry.resolve(text), seed).network

    def park(self, workload: Workload, seed: int) -> None:
        """Move all networks of a seed (fits and teachers too) to the host until they are asked for again.

        An accelerator's memory is for what is timed.
        """
        if self.device.startswith("cpu"):
            return
        for table in (self._fitted, self._finished):
            for (name, _, of_seed), found in table.items():
                if (name, of_seed) == (workload.name, seed):
                    found.network.to("cpu")

    def release(self, workload: Workload, keep: frozenset[str] = frozenset({BASELINE})) -> None:
        """Forget what was trained for ``workload`` under compositions that are not in ``keep``."""
        for table in (self._fitted, self._finished):
            for key in [key for key in table if key[0] == workload.name and key[1] not in keep]:
                del table[key]

    def clear(self) -> None:
        """Forget everything (before another workload starts)."""
        self._fitted.clear()
        self._finished.clear()

    def _fit(self, workload: Workload, part: Composition, seed: int) -> Trained:
        key = (workload.name, part.name, seed)
        if key not in self._fitted:
            recipe = self.recipe(workload, part, seed)
            if self.trains and workload.source == "train":
                self._fitted[key] = fit(
                    recipe, seed=seed, device=self.device, reference=self.reference(workload, seed),
                    goal=goal(workload), report=self.reporter(workload.name, part.name),
                )  # fmt: skip
            else:
                self._fitted[key] = untrained(recipe, seed=seed, device=self.device)
        return self._unparked(self._fitted, key)

    def _unparked(self, table: dict[Key, Trained], key: Key) -> Trained:
        table[key].network.to(self.device)
        return table[key]
