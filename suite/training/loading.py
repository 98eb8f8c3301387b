"""Batches made ahead of the training step by worker processes, the same ones in the same order.

torch's DataLoader does the work: https://docs.pytorch.org/docs/stable/data.html.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from suite.training.data import Batch, Split
from suite.training.trees import leaves, tree_map

Batches = Callable[[Split, torch.Generator], Iterator[Batch]]


@dataclass(frozen=True)
class _State:
    """A worker's message after its last batch: the generator's state."""

    value: torch.Tensor


class _Share(IterableDataset[Any]):
    """One worker's share of an epoch: every so manieth batch.

    Random numbers of all batches are drawn by each worker, so that its own are those of one process; what that
    costs beside making its own batches is part of the technique.
    """

    def __init__(self, batches: Batches, train: Split, generator: torch.Generator) -> None:
        super().__init__()
        self.batches, self.train, self.generator = batches, train, generator

    def __iter__(self) -> Iterator[Any]:
        worker = get_worker_info()
        number, workers = (0, 1) if worker is None else (worker.id, worker.num_workers)
        for place, batch in enumerate(self.batches(self.train, self.generator)):
            if place % workers == number:
                yield batch.inputs, batch.targets
        yield _State(self.generator.get_state())


def loaded(batches: Batches, *, workers: int, prefetch: int) -> Batches:
    """``batches`` made by ``workers`` processes that are at most ``prefetch`` batches ahead each.

    If the training data are on CUDA, the host's memory is pinned and copies do not wait. The processes are forked,
    since recipes hold functions that cannot be pickled; they see the training data without a copy of their own. Data
    that lie on an accelerator are copied to the host once, not for every epoch.
    """
    kept: list[tuple[Split, Split]] = []  # the data of the last epoch and their copy on the host

    def on_host(train: Split) -> Split:
        if not kept or kept[0][0] is not train:
            kept[:] = [(train, train.to("cpu"))]
        return kept[0][1]

    def ahead(train: Split, generator: torch.Generator) -> Iterator[Batch]:
        device = leaves(train.inputs)[0].device
        share = _Share(batches, on_host(train), generator)
        for item in _started(share, workers=workers, prefetch_factor=prefetch, pin_memory=device.type == "cuda"):
            if isinstance(item, _State):
                generator.set_state(item.value)
            else:
                inputs, targets = (_copied(tree, device) for tree in item)
                yield Batch(inputs=inputs, targets=targets)

    return ahead


def _started(share: _Share, *, workers: int, **options: Any) -> Iterator[Any]:
    """Batches of the workers, in their order."""
    with warnings.catch_warnings():  # one core for all of them is what a quiet process is given on purpose
        warnings.filterwarnings(
            "ignore", message="This DataLoader will create .* worker processes", category=UserWarning
        )
        warnings.filterwarnings("ignore", message=".*use of fork.* may lead to deadlocks", category=DeprecationWarning)
        loader = DataLoader(
            share,
            batch_size=None,  # the recipe makes batches
            num_workers=workers,
            multiprocessing_context="fork",
            generator=torch.Generator(),  # or it would draw from the one that dropout draws from
            **options,
        )
        return iter(loader)


def _copied(tree: Any, device: torch.device) -> Any:
    return tree_map(lambda leaf: leaf.to(device, non_blocking=True), tree)
