"""Gradual pruning: sparsity rises along a cubic while the network is fine-tuned.

Zhu & Gupta 2017, https://arxiv.org/abs/1710.01878: s(t) = s_f - s_f (1 - t / T)^3, fast at first, when there is much
to spare. Each layer has the same sparsity; a weight that was zeroed stays zero. Saves entropy-coded bytes; speed,
shapes, parameters and the plain artefact's bytes stay.
"""

from __future__ import annotations

from dataclasses import replace

from torch import nn

from suite.core.errors import UsageError
from suite.registry import technique
from suite.training import invariants
from suite.training.loop import steps_per_epoch
from suite.training.recipe import Recipe, Trainee, Tuner
from suite.training.surgery import masks


@technique(
    slots=("finish",),
    family="pruning",
    control="extra_epochs(epochs={epochs})",
    sweep={"sparsity": (0.5, 0.8, 0.9, 0.95)},
    quick=False,
    promises=invariants.sparse_layers,
)
def gradual_pruning(
    recipe: Recipe, *, sparsity: float = 0.8, epochs: int = 5, ramp: float = 0.5, updates: int = 10
) -> Recipe:
    """Prune each layer to ``sparsity`` in ``updates`` steps over the first ``ramp`` (a share) of fine-tuning."""
    masks.check("gradual_pruning", sparsity, epochs)
    if not 0 < ramp <= 1:
        raise UsageError(f"gradual_pruning: ramp must be in (0, 1], got {ramp}")
    if updates < 1:
        raise UsageError(f"gradual_pruning: updates must be 1 or more, got {updates}")

    def finish(network: nn.Module, tuner: Tuner) -> nn.Module:
        network = recipe.finish(network, tuner)
        steps = ramp * epochs * steps_per_epoch(tuner.recipe, tuner.splits.train)
        gradual = Gradual(network, sparsity, steps=max(1, round(steps)), updates=updates)
        tuner.hold(gradual.held)
        tuner.train(network, epochs=epochs, after_step=gradual)
        gradual.prune(1.0)  # where nothing was trained, or no update fell onto the last step
        return network

    return replace(recipe, finish=finish)


class Gradual:
    """Called after every step: renews the masks ``updates`` times within ``steps``, and applies them each time."""

    def __init__(self, network: nn.Module, sparsity: float, *, steps: int, updates: int) -> None:
        self.network, self.sparsity, self.steps, self.updates = network, sparsity, steps, updates
        self.held = masks.Masked({})
        self.done = 0

    def __call__(self, trainee: Trainee) -> None:
        self.held.restore(self.network)  # first: what was zeroed has the smallest magnitude again
        due = min(self.updates, trainee.steps * self.updates // self.steps)
        if due > self.done:
            self.done = due
            self.prune(due / self.updates)

    def prune(self, progress: float) -> None:
        """Prune to the sparsity at ``progress``, a share of the ramp."""
        self.held.masks = masks.each(masks.magnitudes(self.network), self.sparsity * (1 - (1 - progress) ** 3))
        self.held.restore(self.network)
