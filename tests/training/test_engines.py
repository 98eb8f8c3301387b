"""Engines outside of torch: answers keep the network's form, and a label is held to what really ran."""
# the expected value stands on the left

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from suite.training.engines import FORM, AnswerForm, EngineCall, arrays, calibration_batches


class Two(nn.Module):
    """A dictionary of answers, one of them a pair."""

    def forward(self, x):
        return {"sum": x.sum(1), "both": (x, x + 1)}


def test_an_answer_of_one_tensor_needs_no_file():
    """The engine's output is the answer."""
    form = AnswerForm.of(nn.Linear(3, 2), torch.zeros(2, 3))
    assert {} == form.files()
    assert torch.equal(torch.ones(4, 2), form.tree([np.ones((4, 2), dtype=np.float32)]))


def test_an_answer_of_several_tensors_is_read_back_in_its_form():
    """Its structure ships beside the engine's file."""
    inputs = torch.arange(6.0).reshape(2, 3)
    form = AnswerForm.of(Two(), inputs)
    again = AnswerForm.read(form.files())
    assert {FORM} == set(form.files())
    found = again.tree([one.numpy() for one in (inputs.sum(1), inputs, inputs + 1)])
    expected = Two()(inputs)
    assert expected.keys() == found.keys()
    assert torch.equal(expected["sum"], found["sum"])
    assert torch.equal(expected["both"][1], found["both"][1])


def test_inputs_share_their_memory_with_the_arrays():
    """Only what is not contiguous is copied."""
    whole = torch.zeros(4, 6)
    plain, strided = arrays([whole, whole[:, ::2]])
    whole += 1
    assert (1.0, 0.0) == (float(plain[0, 0]), float(strided[0, 0]))
    assert strided.flags["C_CONTIGUOUS"]


@given(st.integers(1, 100))
def test_calibration_sees_every_item_once(count):
    """In batches."""
    found = [batch for (batch,) in calibration_batches(torch.arange(count))]
    assert list(range(count)) == np.concatenate(found).tolist()


def test_a_call_hands_arrays_over_and_brings_tensors_back():
    """In the order of the inputs."""
    call = EngineCall(run=lambda given: [given[0] * 2], form=AnswerForm.of(nn.Identity(), torch.zeros(1)))
    assert torch.equal(torch.full((3,), 2.0), call(torch.ones(3)))
