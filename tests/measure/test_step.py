"""A timed training step: the same step on the same numbers in every turn."""
# the expected value stands on the left

import tiny
import torch
from torch import nn

from suite.measure.step import training_step


def watched(**changes):
    """A recipe that hands out the networks it builds."""
    built = []

    def model(width=1.0):
        built.append(tiny.Net(width))
        return built[-1]

    return tiny.recipe(model=model, **changes), built


class Stubborn(torch.optim.AdamW):
    """Refuses to stand still, as some optimizers do."""

    def __init__(self, parameters, lr):
        if lr <= 0:
            raise ValueError(f"lr must be positive, got {lr}")
        super().__init__(list(parameters), lr=lr)


def test_weights_are_restored_between_turns():
    """Every turn starts from the same numbers, whatever the optimizer did in the last; it may refuse a rate of 0."""
    recipe, built = watched(optimizer=Stubborn)
    step = training_step(recipe, device="cpu", reference=tiny.no_reference)
    before = [tensor.clone() for _, tensor in step.weights]
    step.reset()
    first = float(step())
    assert not all(torch.equal(now, kept) for now, kept in zip(built[0].parameters(), before, strict=False))
    step()
    step.reset()
    assert first == float(step())
    step.reset()
    assert all(torch.equal(now, kept) for now, kept in zip(built[0].parameters(), before, strict=False))


def test_buffers_are_restored_too():
    """Running means would drift to the one batch that is trained on."""
    network = nn.Sequential(nn.BatchNorm2d(1), nn.Flatten(), nn.Linear(64, 2))
    step = training_step(tiny.recipe(model=lambda: network), device="cpu", reference=tiny.no_reference)
    before = network[0].running_mean.clone()
    step.reset()
    kept = network[0].running_mean.clone()
    step()
    assert not torch.equal(kept, network[0].running_mean)
    step.reset()
    assert torch.equal(kept, network[0].running_mean)
    assert not torch.equal(before, kept)


def test_a_step_that_is_not_reset_holds_no_second_copy_of_the_weights():
    """Memory is measured with it."""
    step = training_step(tiny.recipe(), device="cpu", reference=tiny.no_reference, resets=False)
    assert () == step.weights


def test_a_training_step_is_one_batch_of_the_recipe():
    """Forward and backward on the recipe's first batch, in its layout and with its loss."""
    shapes = []
    plain = tiny.recipe()

    def loss(trainee, batch, output):
        shapes.append(tuple(batch.inputs.shape))
        return plain.loss(trainee, batch, output)

    step = training_step(tiny.recipe(loss=loss), device="cpu", reference=tiny.no_reference)
    warm = len(shapes)
    step()
    assert warm + 1 == len(shapes)
    assert {(tiny.BATCH, 1, 8, 8)} == set(shapes)
