"""The control of everything that fine-tunes: the plain network trained on for as many epochs."""

from __future__ import annotations

from dataclasses import replace

from torch import nn

from suite.core.errors import UsageError
from suite.registry import technique
from suite.training.recipe import Recipe, Tuner


@technique(slots=("finish",), family="schedule", sweep={"epochs": (3, 5)}, needs=("training",))
def extra_epochs(recipe: Recipe, *, epochs: int = 5) -> Recipe:
    """Fine-tune for ``epochs`` more, changing nothing else."""
    if epochs < 0:
        raise UsageError(f"extra_epochs: epochs must be 0 or more, got {epochs}")

    def finish(network: nn.Module, tuner: Tuner) -> nn.Module:
        network = recipe.finish(network, tuner)
        tuner.train(network, epochs=epochs)
        return network

    return replace(recipe, finish=finish)
