"""Serving: layouts, full batches, trees, outputs that are no numbers, and a copy of what was trained."""
# the expected value stands on the left

from dataclasses import replace

import pytest
import tiny
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from suite.core.errors import OutputError
from suite.core.machine import flags
from suite.training.recipe import Precision, Split
from suite.training.serving import (
    CALIBRATION,
    Served,
    calibration_inputs,
    plainly,
    predict,
    predictions,
    serve,
    warm_up,
)


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


def answering(call):
    return Served(recipe=tiny.recipe(), network=nn.Identity(), device="cpu", call=call)


@given(count=st.integers(1, 12), batch=st.integers(1, 5))
def test_predictions_name_the_items_that_they_belong_to(count, batch):
    """Parts are consecutive, and the last one ends with the last item."""
    inputs = torch.arange(count, dtype=torch.float32)[:, None]
    for items, outputs in predictions(identity(), inputs, batch=batch):
        assert torch.equal(inputs[items], outputs)
    assert count == items.stop


def test_inputs_and_outputs_may_be_trees():
    """Dictionaries and tuples go in and come out, items in their order."""
    inputs = {"image": torch.arange(5.0)[:, None], "rest": (torch.arange(5),)}
    served = answering(lambda given_: {"sum": given_["image"][:, 0] + given_["rest"][0], "pair": (given_["image"],)})
    found = predict(served, inputs, batch=2)
    assert [0.0, 2.0, 4.0, 6.0, 8.0] == found["sum"].tolist()
    assert torch.equal(inputs["image"], found["pair"][0])


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [
        (torch.int64, torch.int64),
        (torch.int8, torch.int8),
        (torch.bool, torch.bool),
        (torch.bfloat16, torch.float32),
        (torch.float16, torch.float32),
        (torch.float64, torch.float32),
    ],
)
def test_whole_numbers_stay_and_others_are_float32(dtype, expected):
    """A label is no measurement: 2**40 + 1 is not rounded to a float."""
    outputs = torch.tensor([[0], [1]]).to(dtype)
    found = predict(answering(lambda _: outputs), torch.zeros(2, 1), batch=2)
    assert expected == found.dtype
    assert [[0], [1]] == found.long().tolist()


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("form", [lambda x: x, lambda x: x[:, 0], lambda x: {"other": torch.zeros_like(x), "y": (x,)}])
def test_an_output_that_is_not_finite_is_an_error_that_names_the_item(bad, form):
    """By its place in the whole test set, with the value and how many of its batch are so."""
    inputs = torch.zeros(7, 1)
    inputs[5] = inputs[6] = bad
    with pytest.raises(OutputError, match=rf"test item 5 holds {bad}; .*\(2 of 3 items of this batch are not\)"):
        predict(answering(form), inputs, batch=4)


def test_items_that_only_fill_up_a_batch_are_not_judged():
    """They are repeated, and dropped again."""
    calls = []

    def call(inputs):
        outputs = inputs.clone()
        outputs[1 if calls else len(outputs) :] = float("nan")  # the second batch has one item of its own
        calls.append(1)
        return outputs

    assert torch.equal(torch.zeros(5, 1), predict(answering(call), torch.zeros(5, 1), batch=4))


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


def test_serving_computes_without_gradients_and_without_autocast():
    """What was trained under bfloat16 is served in float32: autocast would cast all weights anew at every call."""
    trained = tiny.fitted(precision=Precision(autocast=torch.bfloat16))
    served, inputs = serve(trained), tiny.splits(0).test.inputs
    outputs = served(served.prepare_inputs(inputs))
    assert (torch.float32, False) == (outputs.dtype, outputs.requires_grad)
    with torch.no_grad():
        assert torch.equal(trained.network(inputs), predict(served, inputs, batch=16))


def test_a_recipes_flags_hold_while_it_is_deployed_and_served():
    """And are gone afterwards; what is served plainly runs under torch's own settings."""
    seen, before = [], flags.read()

    def noted(network):
        def call(inputs):
            seen.append(torch.get_float32_matmul_precision())
            return network(inputs)

        seen.append(torch.get_float32_matmul_precision())
        return call

    trained = replace(tiny.fitted(), recipe=tiny.recipe(deploy=noted, flags={"float32_matmul_precision": "medium"}))
    served, inputs = serve(trained), tiny.splits(0).test.inputs
    warm_up(served, served.prepare_inputs(inputs))
    predict(served, inputs, batch=16)
    assert ["medium"] * 5 == seen
    plain = plainly(trained)
    assert {} == plain.recipe.flags
    assert trained.network is plain.network is plain.call
    assert before == flags.read()


def test_settling_puts_the_flags_until_somebody_else_does():
    """Timed sides alternate; each settles before its turn."""
    before = flags.read()
    try:
        identity(flags={"float32_matmul_precision": "high"}).settle()
        assert "high" == torch.get_float32_matmul_precision()
    finally:
        flags.write({"float32_matmul_precision": before["float32_matmul_precision"]})


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
    train = Split(inputs=part.train.inputs.repeat(20, 1, 1, 1), targets=part.train.targets.repeat(20))
    large = replace(part, train=train)
    assert torch.equal(part.train.inputs, calibration_inputs(tiny.recipe()))
    assert CALIBRATION == len(calibration_inputs(tiny.recipe(data=lambda: large)))


def test_warming_up_calls_often_enough_for_a_compiler_to_settle():
    """Compilers specialise on the second call, so the third is the first that is only run."""
    shapes = []
    warm_up(identity(shapes), torch.ones(4, 2))
    assert [(4, 2)] * 3 == shapes
