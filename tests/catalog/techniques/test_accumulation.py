"""Gradient accumulation: batches in parts with the whole batch's gradient."""
# the expected value stands on the left

import pytest
import tiny
import torch
from hypothesis import given
from hypothesis import strategies as st
from technique_samples import composed

from suite.core.errors import UsageError
from suite.measure.memory import peak_bytes
from suite.measure.step import training_step
from suite.training.loop import add_gradients, parts_of, start
from suite.training.recipe import Batch


def batch_of(count):
    part = tiny.splits(0).train
    return Batch(inputs=part.inputs[:count], targets=part.targets[:count])


def gradients(steps, batch):
    recipe = composed(f"accumulation(steps={steps})")
    trainee = start(recipe, seed=0, device="cpu", reference=tiny.no_reference)
    loss = add_gradients(trainee, batch)
    return {name: parameter.grad for name, parameter in trainee.network.named_parameters()} | {"loss": loss}


@given(count=st.integers(1, 32), steps=st.integers(1, 40))
def test_parts_hold_every_item_once_in_order(count, steps):
    """However the items divide, there are no more parts than asked for and none is empty."""
    batch = batch_of(count)
    parts = list(parts_of(batch, steps))
    assert 1 <= len(parts) <= steps
    assert all(len(part) for part in parts)
    assert torch.equal(batch.inputs, torch.cat([part.inputs for part in parts]))
    assert torch.equal(batch.targets, torch.cat([part.targets for part in parts]))


@pytest.mark.parametrize("steps", [2, 3, 8, 50])
def test_gradients_and_loss_are_the_whole_batchs(steps):
    """Also where the last part is smaller: parts count by their items."""
    whole = gradients(1, batch_of(32))
    torch.testing.assert_close(whole, gradients(steps, batch_of(32)), rtol=1e-4, atol=1e-6)


def test_training_takes_as_many_steps_and_ends_at_the_same_weights():
    """But for rounding: the optimizer and the schedule see whole batches."""
    steps = []
    found = tiny.fitted(composed("accumulation(steps=4)", tiny.recipe(callbacks=(lambda t: steps.append(t.steps),))))
    assert list(range(1, tiny.STEPS + 1)) == steps
    torch.testing.assert_close(tiny.state(tiny.fitted().network), tiny.state(found.network), rtol=1e-3, atol=1e-5)


def test_a_steps_peak_memory_falls():
    """Only one part's results are held at once."""

    def peak(text):
        return peak_bytes(training_step(composed(text), device="cpu", reference=tiny.no_reference, resets=False), "cpu")

    assert peak("accumulation(steps=8)") < 0.8 * peak("baseline")


def test_no_parts_are_an_error():
    """The error names the value."""
    with pytest.raises(UsageError, match="accumulation: steps must be 1 or more, got 0"):
        composed("accumulation(steps=0)")
