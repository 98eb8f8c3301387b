"""Lottery tickets: masks found by pruning, rewinding the weights that are left and training them again, round by round.

Frankle & Carbin 2019, https://arxiv.org/abs/1803.03635; rewinding to an early step instead of the first one by Frankle
et al. 2020, https://arxiv.org/abs/1912.05671.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from torch import Tensor, nn

from suite.core.errors import UnavailableError, UsageError
from suite.training.devices import own_random_numbers
from suite.training.loop import built, steps_per_epoch
from suite.training.recipe import Recipe, Trainee, Tuner
from suite.training.surgery import masks

APART = 1_000_003  # from a seed to one that no run has
EARLY = "_early_weights"  # travels with copies of the network from the first stage to ``finish``

Weights = Mapping[str, Tensor]
Start = Callable[[int, Weights, Tuner], Weights]
"""From the number of rounds that follow and the early weights to those with which the round starts."""


def ticket(
    recipe: Recipe, start: Start, *, technique: str, sparsity: float, rounds: int, rewind: int, epochs: int
) -> Recipe:
    """The recipe that draws a ticket and trains it from what ``start`` says; see `check` and `drawn`."""
    check(technique, sparsity, rounds, rewind, epochs)
    return replace(
        recipe,
        callbacks=(*recipe.callbacks, remembering(rewind)),
        fine_tune_learning_rate=recipe.learning_rate,
        finish=drawn(recipe, start, sparsity=sparsity, rounds=rounds, rewind=rewind, epochs=epochs),
    )


def check(technique: str, sparsity: float, rounds: int, rewind: int, epochs: int) -> None:
    """Raise `UsageError` for a value out of range, or for epochs that do not divide into rounds."""
    masks.check(technique, sparsity, epochs)
    if rounds < 1:
        raise UsageError(f"{technique}: rounds must be 1 or more, got {rounds}")
    if rewind < 0:
        raise UsageError(f"{technique}: rewind, a number of steps, must be 0 or more, got {rewind}")
    if epochs % rounds:
        raise UsageError(f"{technique}: epochs, of all {rounds} rounds together, must divide by them, got {epochs}")


def remembering(step: int) -> Callable[[Trainee], None]:
    """A callback that keeps the weights after ``step`` steps with the network; for 0 they are built again later."""

    def remember(trainee: Trainee) -> None:
        if trainee.steps == step:
            setattr(trainee.network, EARLY, _copied(trainee.network.state_dict()))

    return remember


def drawn(
    recipe: Recipe, start: Start, *, sparsity: float, rounds: int, rewind: int, epochs: int
) -> Callable[[nn.Module, Tuner], nn.Module]:
    """A ``finish`` that prunes to ``sparsity`` by equal shares of what is left, trained for ``epochs`` in all.

    Each round masks the smallest weights of the whole network, puts the others to ``start`` and trains while it holds.
    """

    def finish(network: nn.Module, tuner: Tuner) -> nn.Module:
        network = recipe.finish(network, tuner)
        _require_steps(tuner, rewind)
        early = network.__dict__.pop(EARLY, None) or first_weights(tuner)
        held = masks.Masked({})
        tuner.hold(held)
        for done in range(1, rounds + 1):
            found = masks.across(masks.magnitudes(network), 1 - (1 - sparsity) ** (done / rounds))
            _load(network, start(rounds - done, early, tuner))
            masks.apply(found)
            held.masks = found  # which has what was zeroed in earlier rounds: zeros have the smallest magnitudes
            tuner.train(network, epochs=epochs // rounds)
        network.__dict__.pop(EARLY, None)  # rounds pass the early step again
        return network

    return finish


def rewound(_left: int, early: Weights, _tuner: Tuner) -> Weights:
    """Every round starts with the early weights."""
    return early


def redrawn(left: int, early: Weights, tuner: Tuner) -> Weights:
    """The last round starts with other first weights: the mask of the same ticket without its luck."""
    return first_weights(tuner, APART) if left == 0 else early


def _require_steps(tuner: Tuner, rewind: int) -> None:
    steps = tuner.recipe.epochs * steps_per_epoch(tuner.recipe, tuner.splits.train)
    if rewind > steps:
        raise UnavailableError(f"rewind={rewind} is beyond the {steps} steps of this training; lower it")


def first_weights(tuner: Tuner, apart: int = 0) -> Weights:
    """The weights of a seed before the first step, or of one so far ``apart``; the state of random numbers stays."""
    with own_random_numbers(tuner.device):
        return _copied(built(tuner.recipe, tuner.seed + apart).state_dict())


def _copied(state: Weights) -> Weights:
    return {name: tensor.detach().clone() for name, tensor in state.items()}


def _load(network: nn.Module, weights: Weights) -> None:
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        raise UnavailableError(
            "the network's layers were changed after it was built, so its weights cannot be rewound; prune for lots "
            "before techniques that change layers"
        ) from error
