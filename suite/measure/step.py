"""One training step as the sampler times it: the same step on the same numbers in every turn."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from suite.core.machine.flags import applied
from suite.core.phases import phase
from suite.training.loop import TrainingStep, first_step
from suite.training.recipe import Batch, Recipe, Reference
from suite.training.trees import leaves

WARM_UP = 3


@dataclass(frozen=True, kw_only=True, eq=False)
class TimedStep:
    """Trains on its ``batch`` when called. ``reset`` puts the weights back to where timing began.

    ``weights`` and ``sent`` are the tensors of the network and of the batch, each with a copy of what it was.
    ``suspect`` says why its times cannot be trusted.

    Without resets a network that fits its one batch drifts into subnormal gradients, which CPUs compute slowly;
    a learning rate of zero would hold the weights too, but some optimizers refuse it.
    """

    step: TrainingStep
    batch: Batch
    weights: tuple[tuple[Tensor, Tensor], ...]
    sent: tuple[tuple[Tensor, Tensor], ...] = ()
    suspect: str | None = None

    def __call__(self) -> Tensor:
        return self.step(self.batch)

    @property
    def flags(self) -> Mapping[str, int | str]:
        """The global settings of torch that the step runs under."""
        return self.step.trainee.recipe.flags

    @property
    def items(self) -> int:
        """Items of the batch."""
        return len(self.batch)

    @torch.no_grad()
    def reset(self) -> None:
        """Restore weights and buffers."""
        for tensor, kept in self.weights:
            tensor.copy_(kept)


def training_step(recipe: Recipe, *, device: str, reference: Reference, resets: bool = True) -> TimedStep:
    """The recipe's step on its first batch, compiled and warmed up outside the timed rounds.

    Without ``resets`` no second copy of the weights and the batch is held (memory is being measured).
    """
    with applied(recipe.flags), phase("compiling"):
        step, batch = first_step(recipe, device=device, reference=reference)
        network = step.trainee.network
        kept = [*network.parameters(), *network.buffers()] if resets else []
        given = [*leaves(batch.inputs), *leaves(batch.targets)] if resets else []
        timed = TimedStep(step=step, batch=batch, weights=_with_copies(kept), sent=_with_copies(given))
        for _ in range(WARM_UP):
            timed()
    return timed


def _with_copies(tensors: Iterable[Tensor]) -> tuple[tuple[Tensor, Tensor], ...]:
    return tuple((tensor, tensor.detach().clone()) for tensor in tensors)
