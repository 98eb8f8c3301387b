"""What a network saves that items may leave early: how many do, and the multiply-accumulates that an item takes."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from suite.core.metrics import measured
from suite.core.records import Cell, Measurement
from suite.measure.macs import macs_of
from suite.training.devices import autocast, place
from suite.training.loop import Trained
from suite.training.surgery.exits import Exiting
from suite.training.trees import split, to

BATCH = 256  # test items that are looked at together
MARGIN = 0.1  # of the value: who leaves depends on trained weights


def exits(cell: Cell, trained: Trained, whole: int | None) -> list[Measurement]:
    """The share of test items that leave early, and the mean of the items' multiply-accumulates.

    ``whole`` are those of an item that goes through all of the network. Nothing of a network without an exit.
    """
    network = trained.network
    if not isinstance(network, Exiting):
        return []
    left = torch.cat(list(_left(trained, network)))
    found = {"exit_rate": float(left.double().mean())}
    inputs = place(to(trained.recipe.data().test.first(1).inputs, trained.device), trained.recipe.layout)
    branch = macs_of(network.branch.eval(), inputs)
    if whole is not None and branch is not None:
        found["mean_macs"] = whole + found["exit_rate"] * (branch - whole)
    return [measured(cell, name, value, n=len(left), margin=MARGIN * value) for name, value in found.items()]


@torch.no_grad()
def _left(trained: Trained, network: Exiting) -> Iterator[Tensor]:
    recipe = trained.recipe
    for inputs in split(recipe.data().test.inputs, BATCH):
        with autocast(recipe.precision, trained.device):
            yield network.leaving(place(to(inputs, trained.device), recipe.layout)).cpu()
