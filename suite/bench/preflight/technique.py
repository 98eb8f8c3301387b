"""One step and one answer of each technique on a workload's untrained network: incompatible ones fail at once."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import nn

from suite.bench.explain import explain, is_built_in
from suite.bench.preflight.workload import ITEMS, small
from suite.bench.resolved_cell import Case
from suite.core.errors import IncapableError, SuiteError, UnavailableError
from suite.core.machine.flags import applied
from suite.core.records import Cell
from suite.registry import Composition, Registry
from suite.training import invariants
from suite.training.devices import lay_out, own_random_numbers
from suite.training.loop import EpochRecord, FineTuner, Trained, TrainingStep, built, first_batch, first_step
from suite.training.recipe import AFTER_TRAINING, SAME_STEP, Recipe, Trainee
from suite.training.serving import serve
from suite.training.surgery.tied import check_tied, ties
from suite.training.trees import length, take


@dataclass(kw_only=True)
class CellChecks:
    """The checks of a run's cells on one device; a technique gets untrained networks of other compositions."""

    registry: Registry
    device: str
    tried: set[Cell] = field(default_factory=set)
    """Cells whose served form was made: nothing of their structure is left to check."""
    _references: dict[tuple[str, str], nn.Module] = field(default_factory=dict)

    def check(self, case: Case) -> None:
        """Raise `IncapableError` with the reason if a built-in technique cannot take the workload's network.

        A technique of the user's own that fails is no limit of the network: its cells end as errors, with its frame.
        Networks that are compiled or exported to be trained or served are left to their cells: that takes seconds.
        """
        if case.composition.is_baseline or not is_ours(case.composition):
            return
        recipe = case.composition.apply(case.workload.plain(0))
        with own_random_numbers(self.device), applied(recipe.flags), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if _steps_otherwise(case):
                with _told(case, "trained"):
                    self._train(case, recipe)
            if not case.compiles and _serves(case):
                with _told(case, "served"):
                    self._serve(case, recipe)
                self.tried.add(case.cell)

    def clear(self) -> None:
        """Let go of the untrained networks."""
        self._references.clear()

    def reference(self, case: Case) -> Callable[[str], nn.Module]:
        """Untrained networks of other compositions."""

        def ask(text: str) -> nn.Module:
            composition = self.registry.resolve(text)
            key = (case.workload.name, composition.name)
            if key not in self._references:
                recipe = composition.apply(case.workload.plain(0))
                self._references[key] = lay_out(built(recipe, 0), recipe).to(self.device).eval()
            return self._references[key]

        return ask

    def _train(self, case: Case, recipe: Recipe) -> None:
        step, batch = first_step(recipe, device=self.device, reference=self.reference(case))
        step(small(batch))

    def _serve(self, case: Case, recipe: Recipe) -> None:
        network = lay_out(built(recipe, 0), recipe).to(self.device).eval()
        tied = ties(network)
        tuner = OneStep(
            recipe=recipe, splits=recipe.data(), device=self.device, seed=0, reference=self.reference(case),
            trains=case.workload.trains,
        )  # fmt: skip
        network = lay_out(recipe.finish(network, tuner), recipe).eval()
        check_tied(tied, network, case.composition.name)
        promises = case.composition.promises
        invariants.check((promise for promise in promises if not promise.quantized), network)
        served = serve(Trained(recipe=recipe, network=network, device=self.device, seed=0, seconds=0.0))
        check_tied(tied, served.network, case.composition.name)
        invariants.check((promise for promise in promises if promise.quantized), served.network)
        items = recipe.data().test.first(ITEMS).inputs
        for count in (1, length(items)):
            served(served.prepare_inputs(take(items, slice(count))))
        if "runtime" in case.composition.slots:
            _ = served.artifact.files  # written now


class OneStep(FineTuner):
    """A tuner whose fine-tuning is one step of a few items: its loss, what it holds and its callbacks are tried."""

    def _run(self, trainee: Trainee) -> list[EpochRecord]:
        train = self.splits.train.to(self.device)
        batch = first_batch(trainee.recipe, train, torch.Generator().manual_seed(0))
        TrainingStep(trainee, total_steps=None)(small(batch))
        return [EpochRecord(seconds=0.0, score=None)]


def is_ours(composition: Composition) -> bool:
    """Whether every member is a technique of the suite's."""
    return all(is_built_in(technique.function.__code__.co_filename) for technique, _ in composition.members)


def _steps_otherwise(case: Case) -> bool:
    if case.workload.source != "train" or case.compiles:
        return False
    return bool(case.composition.slots - frozenset(SAME_STEP))


def _serves(case: Case) -> bool:
    return bool(case.composition.slots & {*AFTER_TRAINING, "layout", "model", "flags"})


@contextmanager
def _told(case: Case, doing: str) -> Iterator[None]:
    """A failure in the body is a limit of the network or of the technique, and is reported before anything trains."""
    try:
        yield
    except UnavailableError:
        raise
    except SuiteError as error:
        raise IncapableError(f"{case.composition}: {error}") from error
    except Exception as error:
        raise IncapableError(
            f"{case.composition}: this network cannot be {doing} with it: {explain(error, case.workload.where)}"
        ) from error
