"""What a profile repeats: a round fetches what it needs, then computes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from suite.bench.resolved_cell import Case
from suite.bench.trained_store import TrainedStore
from suite.core.errors import UsageError
from suite.training.loop import TrainingStep, start
from suite.training.recipe import Batch, Recipe, Split
from suite.training.serving import Served, serve
from suite.training.trees import Tree, fill_up, split

WHAT = ("inference", "training")


@dataclass(frozen=True, kw_only=True, eq=False)
class Work:
    """``fetch`` brings a round's data, ``compute`` works on them; both under torch's settings ``flags``."""

    name: str
    device: str
    fetch: Callable[[], Any]
    compute: Callable[[Any], object]
    flags: Mapping[str, int | str] = field(default_factory=dict)


def work(case: Case, store: TrainedStore, what: str) -> Work:
    """The serving or the training of a cell. Raises `UsageError` where it has none."""
    return _training(case, store) if what == "training" else _inference(case, store)


def _inference(case: Case, store: TrainedStore) -> Work:
    """Serves the test items, batch by batch: fetching is slicing, and copying to the device."""
    trained = store.get(case.workload, case.composition, 0)
    served = serve(trained)
    inputs = _forever(lambda: split(trained.recipe.data().test.inputs, case.batch))
    return Work(
        name=f"{case} inference",
        device=case.cell.device,
        fetch=lambda: _laid_out(served, next(inputs), case.batch),
        compute=served,
        flags=trained.recipe.flags,
    )


def _laid_out(served: Served, inputs: Tree, batch: int) -> Tree:
    return served.prepare_inputs(fill_up(inputs, batch))


def _training(case: Case, store: TrainedStore) -> Work:
    """Trains, epoch after epoch: fetching is what the recipe's ``batches`` do."""
    if case.workload.source == "checkpoint":
        raise UsageError(f"{case} comes trained from a checkpoint: there is no step to profile; use --what inference")
    recipe = store.recipe(case.workload, case.composition, 0)
    trainee = start(recipe, seed=0, device=case.cell.device, reference=store.reference(case.workload, 0))
    found = batches(recipe, recipe.data().train.to(case.cell.device))
    return Work(
        name=f"{case} training",
        device=case.cell.device,
        fetch=lambda: next(found),
        compute=TrainingStep(trainee, total_steps=None),
        flags=recipe.flags,
    )


def batches(recipe: Recipe, train: Split) -> Iterator[Batch]:
    """Training batches without an end. Raises `UsageError` where an epoch has none."""
    import torch

    generator = torch.Generator().manual_seed(0)
    return _forever(lambda: recipe.batches(train, generator))


def _forever(epoch: Callable[[], Iterator[Any]]) -> Iterator[Any]:
    while True:
        empty = True
        for item in epoch():
            empty = False
            yield item
        if empty:
            raise UsageError("an epoch yields no batch: nothing can be profiled; is a batch larger than the data?")
