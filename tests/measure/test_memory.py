"""Peak memory of a call: exact on a CPU."""
# the expected value stands on the left

import pytest
import tiny
import torch

from suite.measure.memory import inference_memory, peak_bytes, training_memory
from suite.training.serving import Served, serve

FLOATS = 1_000_000
BYTES = 4 * FLOATS


def at_once():
    return torch.empty(FLOATS), torch.empty(FLOATS)


def one_after_the_other():
    for _ in range(3):
        torch.empty(FLOATS)


def freed_before_more():
    first = torch.empty(2 * FLOATS)
    del first
    return torch.empty(FLOATS)


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda: torch.empty(FLOATS), BYTES),
        (at_once, 2 * BYTES),
        (one_after_the_other, BYTES),
        (freed_before_more, 2 * BYTES),
        (lambda: None, 0),
    ],
)
def test_the_peak_is_what_was_held_at_once(call, expected):
    """To the byte, and the same every time."""
    assert [expected, expected] == [peak_bytes(call, "cpu") for _ in range(2)]


def test_what_was_held_before_does_not_count():
    """Freeing an older tensor makes room that is not this call's."""
    held = [torch.empty(FLOATS)]

    def call():
        held.clear()
        return torch.empty(FLOATS)

    assert peak_bytes(call, "cpu") <= BYTES


def test_serving_memory_is_that_of_one_call_without_its_inputs():
    """Inputs and weights are there before; a network that negates its input holds one more."""
    served = Served(recipe=tiny.recipe(), network=torch.nn.Identity(), device="cpu", call=torch.neg)
    found = inference_memory(tiny.BASELINE_CELL, served, torch.ones(1000, 100))
    assert ("peak_memory_inference", 4 * 100_000, "B") == (found.metric, found.value, found.unit)


def test_training_takes_more_memory_than_serving():
    """Activations are kept for the way back."""
    trained = tiny.fitted()
    inputs = tiny.splits(0).train.inputs[: tiny.BATCH]
    serving = inference_memory(tiny.BASELINE_CELL, serve(trained), inputs)
    training = training_memory(tiny.BASELINE_CELL, trained.recipe, reference=tiny.no_reference)
    assert "peak_memory_training" == training.metric
    assert 0 < serving.value < training.value


def test_memory_repeats_exactly():
    """Two passes of one step agree to the byte, so that a bound can be tight."""
    first, second = (
        training_memory(tiny.BASELINE_CELL, tiny.recipe(), reference=tiny.no_reference).value for _ in range(2)
    )
    assert first == second
