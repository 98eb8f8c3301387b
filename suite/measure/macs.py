"""Multiply-accumulates of one item of a trained network; see `suite.training.macs`."""

from __future__ import annotations

from suite.training.devices import autocast, place
from suite.training.loop import Trained
from suite.training.macs import macs_of
from suite.training.trees import to

__all__ = ["macs", "macs_of"]


def macs(trained: Trained) -> int | None:
    """Multiply-accumulates of one input through the network before quantization: quantized kernels go uncounted.

    Warns and returns ``None`` where the counter saw nothing at all, or nothing of a module that has weights.
    """
    recipe = trained.recipe
    inputs = place(to(recipe.data().train.first(1).inputs, trained.device), recipe.layout)
    with autocast(recipe.precision, trained.device):
        return macs_of(trained.network, inputs)
