"""Trained networks by workload, composition, device and seed: training happens once, however many tests look."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from torch import nn

from suite.composition import BASELINE
from suite.registry import Registry
from suite.training.loop import Report, Trained, finish, fit, untrained
from suite.training.recipe import Recipe, Splits

Reporter = Callable[[str, str], Report | None]  # (workload, composition) -> where its progress goes


@dataclass(kw_only=True)
class TrainedStore:
    """Trains on demand and remembers. ``trains=False`` builds structures only (timing processes load weights)."""

    registry: Registry
    device: str
    trains: bool = True
    reporter: Reporter = lambda _workload, _composition: None
    splits: Splits | None = None
    """Data to use instead of loading them (a timing process receives its parent's)."""
    _fitted: dict[tuple[str, str, int], Trained] = field(default_factory=dict)
    _finished: dict[tuple[str, str, int], Trained] = field(default_factory=dict)

    def recipe(self, workload: str, composition: str, seed: int) -> Recipe:
        """The workload's plain recipe after the composition has changed it."""
        plain, splits = self.registry.find_workload(workload).recipe(seed), self.splits
        if splits is not None:
            plain = replace(plain, data=lambda: splits)
        return self.registry.resolve(composition).apply(plain)

    def get(self, workload: str, composition: str, seed: int) -> Trained:
        """The trained network of a canonical composition, trained now if it was not before."""
        key = (workload, composition, seed)
        if key not in self._finished:
            fitted = self._fit(workload, self.registry.training_part(composition), seed)
            self._finished[key] = finish(
                fitted,
                self.recipe(workload, composition, seed),
                reference=self._reference(workload, seed),
                trains=self._trains(workload),
                report=self.reporter(workload, composition),
            )
        return self._finished[key]

    def release(self, workload: str, keep: frozenset[str] = frozenset({BASELINE})) -> None:
        """Forget what was trained for ``workload`` under compositions that are not in ``keep``."""
        for table in (self._fitted, self._finished):
            for key in [key for key in table if key[0] == workload and key[1] not in keep]:
                del table[key]

    def clear(self) -> None:
        """Forget everything (before another workload starts)."""
        self._fitted.clear()
        self._finished.clear()

    def _fit(self, workload: str, composition: str, seed: int) -> Trained:
        key = (workload, composition, seed)
        if key not in self._fitted:
            recipe, reference = self.recipe(workload, composition, seed), self._reference(workload, seed)
            if self._trains(workload):
                declared, report = self.registry.find_workload(workload), self.reporter(workload, composition)
                trained = fit(recipe, device=self.device, reference=reference, target=declared.target, report=report)
            else:
                trained = untrained(recipe, device=self.device, reference=reference)
            self._fitted[key] = trained
        return self._fitted[key]

    def _trains(self, workload: str) -> bool:
        return self.trains and self.registry.find_workload(workload).labels

    def _reference(self, workload: str, seed: int) -> Callable[[str], nn.Module]:
        return lambda composition: self.get(workload, self.registry.canonical(composition), seed).network
