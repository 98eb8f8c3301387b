"""Whether a timed training step can have done its work: it learns, from the whole of its batch, which stays as it was.

The checks run after the last round, on the very steps that were timed, whatever the side is called. The state that
they leave (the optimizer's) belongs to no training.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from types import MappingProxyType

import torch
from torch import Tensor

from suite.core.errors import ImplausibleError
from suite.core.machine.flags import applied
from suite.measure.integrity.outputs import bits
from suite.measure.step import TimedStep
from suite.training.devices import own_random_numbers
from suite.training.trees import leaves, tree_map

TRIES = 3  # a gradient scaler leaves an update out where its scale is too large, now and then
SAME_LOSS, SAME_LOSS_ELSEWHERE = 1e-3, 2e-2  # relative; accelerators may take other kernels while they train
ALIKE = 1e-6  # relative: sums that an accelerator adds in any order differ by about that much


def check_learning(
    steps: Mapping[str, Callable[[], object]], first_losses: Mapping[str, float | None] = MappingProxyType({})
) -> None:
    """Raise `ImplausibleError` for the first of the timed ``steps`` that cannot have trained on its batch.

    ``first_losses`` are, by side, the losses that the very first step of the real training had: a timed step from the
    same weights on the same batch has the same.

    Calls that are no `TimedStep`, or keep no copy of what they began with, are left alone.
    """
    for side, step in steps.items():
        if isinstance(step, TimedStep) and step.weights:
            with applied(step.step.trainee.recipe.flags):
                _check_batch(step, side)
                _check_update(step, side)
                _check_all_of_it(step, side)
                _check_first_loss(step, first_losses.get(side), side)


def _check_batch(step: TimedStep, side: str) -> None:
    if any(not torch.equal(bits(now), bits(then)) for now, then in step.sent):
        raise ImplausibleError(
            f"the training step of the {side} changes the batch that it is given, so that each step was on another; "
            "work on a copy"
        )


def _check_update(step: TimedStep, side: str) -> None:
    """A step has to change a weight that can be trained."""
    for _ in range(TRIES):
        step.reset()
        _loss(step, side)
        if any(weight.requires_grad and not torch.equal(weight, kept) for weight, kept in step.weights):
            return
    raise ImplausibleError(f"a timed training step of the {side} changes no weight: nothing is learned from it")


def _check_all_of_it(step: TimedStep, side: str) -> None:
    """Blank one half of the items, then the other: the loss has to change with either."""
    middle = len(step.batch) // 2
    whole = _loss_again(step, side)
    for half in (slice(middle), slice(middle, None)):
        blank = replace(step, batch=replace(step.batch, inputs=tree_map(partial(_blanked, half), step.batch.inputs)))
        if all(map(torch.equal, leaves(blank.batch.inputs), leaves(step.batch.inputs))):
            continue  # it was blank before
        if abs(_loss_again(blank, side) - whole) <= ALIKE * abs(whole):
            raise ImplausibleError(
                f"the loss of the {side} is {whole:.6g} whatever half of its batch contains: the timed steps left it "
                "out"
            )


def _check_first_loss(step: TimedStep, first: float | None, side: str) -> None:
    """Not checked: a loss that is random, or has modules of its own, which each run creates."""
    trainee = step.step.trainee
    if first is None or trainee.helpers:
        return
    trainee.steps = trainee.epoch = 0
    losses = [_loss_again(step, side, seed) for seed in (0, 1)]
    tolerance = SAME_LOSS if trainee.device.startswith("cpu") else SAME_LOSS_ELSEWHERE
    if abs(losses[0] - losses[1]) <= ALIKE * abs(losses[0]) and abs(losses[0] - first) > tolerance * abs(first):
        raise ImplausibleError(
            f"the first step of training the {side} had a loss of {first:.6g}, and a timed step from the same weights "
            f"on the same batch has {losses[0]:.6g}: the timed step is not the training step"
        )


def _blanked(half: slice, leaf: Tensor) -> Tensor:
    made = leaf.detach().clone()
    made[half] = 0
    return made


def _loss_again(step: TimedStep, side: str, seed: int = 0) -> float:
    """Of a step from where timing began, with the random numbers of ``seed``."""
    with own_random_numbers(step.step.trainee.device):
        torch.manual_seed(seed)
        step.reset()
        return float(_loss(step, side))


def _loss(step: TimedStep, side: str) -> Tensor:
    loss = step()
    if not isinstance(loss, Tensor) or loss.is_meta:
        raise ImplausibleError(
            f"a timed training step of the {side} returned {type(loss).__name__}, no tensor that holds its loss"
        )
    return loss
