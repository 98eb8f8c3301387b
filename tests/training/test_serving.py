"""Serving: layouts, full batches, and a copy of what was trained."""
# the expected value stands on the left

from dataclasses import replace

import pytest
import tiny
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from suite.training.recipe import Precision
from suite.training.serving import CALIBRATION, Served, calibration_inputs, fill_up, predict, serve, warm_up


def identity(shapes=None, **changes):
    """A served network that returns what it gets and notes the shapes."""
    seen = [] if shapes is None else shapes

    def call(inputs):
        seen.append(tuple(inputs.shape))
        return inputs.flatten(1)

    return Served(recipe=tiny.recipe(**changes), network=nn.Identity(), device="cpu", call=call)


@given(count=st.integers(1, 30), batch=st.integers(1, 12))
def test_predictions_come_in_order_one_row_an_input_from_full_batches(count, batch):
    """Whatever does not divide is filled up, computed and dropped again."""
    shapes = []
    inputs = torch.arange(2 * count, dtype=torch.float32).reshape(count, 2)
    assert torch.equal(inputs, predict(identity(shapes), inputs, batch=batch))
    assert {(batch, 2)} == set(shapes)


@given(count=st.integers(1, 9), size=st.integers(1, 40))
def test_filling_up_repeats_the_inputs_in_turn(count, size):
    """Exactly ``size`` rows; row k is row k modulo the number there was."""
    inputs = torch.arange(count)[:, None, None].expand(count, 2, 3)
    filled = fill_up(inputs, size)
    assert (size, 2, 3) == tuple(filled.shape)
    assert [k % count for k in range(size)] == filled[:, 0, 0].tolist()


@pytest.mark.parametrize(("layout", "expected"), [("contiguous", (64, 64, 8, 1)), ("channels_last", (64, 1, 8, 1))])
@pytest.mark.parametrize("given_", [torch.contiguous_format, torch.channels_last])
def test_inputs_are_laid_out_as_the_recipe_says_however_they_came(layout, expected, given_):
    """Strides are forced both ways: with one channel both layouts call themselves contiguous."""
    inputs = torch.empty(2, 1, 8, 8, memory_format=given_).copy_(torch.randn(2, 1, 8, 8))
    placed = identity(layout=layout).prepare_inputs(inputs)
    assert expected == placed.stride()
    assert torch.equal(inputs, placed)


def test_prepared_inputs_share_no_memory_with_the_data():
    """A network that works in place does not change the test images."""
    inputs = torch.randn(2, 1, 8, 8)
    assert inputs.data_ptr() != identity().prepare_inputs(inputs).data_ptr()


def test_serving_computes_without_gradients_under_the_recipes_precision():
    """Outputs keep no graph; under bfloat16 they are bfloat16, and predictions float32 all the same."""
    trained = tiny.fitted(precision=Precision(autocast=torch.bfloat16))
    served, inputs = serve(trained), tiny.splits(0).test.inputs
    outputs = served(served.prepare_inputs(inputs))
    assert (torch.bfloat16, False) == (outputs.dtype, outputs.requires_grad)
    assert torch.float32 == predict(served, inputs, batch=8).dtype


def test_quantizing_changes_a_copy_and_deploying_wraps_what_was_quantized():
    """The trained network serves other compositions too."""
    order = []

    def quantize(network, calibration):
        order.append(("quantize", len(calibration)))
        nn.init.zeros_(network.fc2.weight)
        return network

    def deploy(network):
        order.append(("deploy", float(network.fc2.weight.detach().abs().sum())))
        return network

    trained = tiny.fitted()
    before = tiny.state(trained.network)
    serve(replace(trained, recipe=tiny.recipe(quantize=quantize, deploy=deploy)))
    assert [("quantize", 32), ("deploy", 0.0)] == order
    assert tiny.equal_states(before, tiny.state(trained.network))


def test_calibration_sees_training_images_only_and_not_too_many():
    """Nothing may be chosen on test data."""
    part = tiny.splits(0)
    large = replace(part, train=replace(part.train, inputs=part.train.inputs.repeat(20, 1, 1, 1)))
    assert torch.equal(part.train.inputs, calibration_inputs(tiny.recipe()))
    assert CALIBRATION == len(calibration_inputs(tiny.recipe(data=lambda: large)))


def test_warming_up_calls_often_enough_for_a_compiler_to_settle():
    """Compilers specialise on the second call, so the third is the first that is only run."""
    shapes = []
    warm_up(identity(shapes), torch.ones(4, 2))
    assert [(4, 2)] * 3 == shapes
