"""Quantization-aware training: weights on their grid in every step and after later fine-tuning, inputs in 8 bits."""
# the expected value stands on the left

from dataclasses import replace

import pytest
import technique_samples as samples
import tiny
import torch
from technique_samples import composed, trained
from torch import nn

from suite.core.errors import CompositionError, OutputError, UsageError
from suite.measure.size import serialized
from suite.registry import REGISTRY
from suite.training.loop import finish
from suite.training.serving import predict, serve
from suite.training.surgery import grids, rounding


@pytest.fixture(scope="module")
def fitted():
    return tiny.fitted()


def on_grid(network, bits):
    matrices = [weight for weight in network.parameters() if weight.dim() > 1]
    return all(grids.read(weight, grids.Grid(bits=bits)) is not None for weight in matrices)


@pytest.mark.parametrize("bits", grids.BITS)
@pytest.mark.parametrize("epochs", [0, 2])
def test_every_weight_has_a_code_of_so_many_bits_and_biases_stay_float(bits, epochs, fitted):
    """For each output channel at most 2^bits - 1 values, before and after training."""
    found = trained(f"simulated_qat(bits={bits},epochs={epochs})", fitted=fitted).network
    assert on_grid(found, bits)
    rows = [row for weight in found.parameters() if weight.dim() > 1 for row in weight.detach().flatten(1)]
    assert max(len(row.unique()) for row in rows) <= 2**bits - 1
    assert fitted.network.fc1.bias.shape == found.fc1.bias.shape
    assert (epochs == 0) == torch.equal(fitted.network.fc1.bias, found.fc1.bias)


def test_one_scale_for_a_tensor_gives_it_as_many_values_as_one_channel_has(fitted):
    """The contrast to a scale for each channel."""
    found = trained("simulated_qat(bits=4,per_channel=False,epochs=1)", fitted=fitted).network
    assert len(found.fc1.weight.unique()) <= 15


def test_training_moves_weights_from_one_code_to_another(fitted):
    """Steps that are smaller than the grid's add up in the float weights; rounding alone would undo each of them."""
    before, after = (trained(f"simulated_qat(bits=2,epochs={epochs})", fitted=fitted).network for epochs in (0, 3))
    assert not torch.equal(before.fc1.weight.sign(), after.fc1.weight.sign())


def test_a_step_on_rounded_weights_is_taken_by_the_float_ones():
    """The straight-through estimator: four steps of a quarter move a weight by one code."""
    layer = nn.Linear(2, 1)
    with torch.no_grad():
        layer.weight[:] = torch.tensor([[127.0, 1.0]])
    held = rounding.Rounded(grids.Grid(bits=8))
    held.begin(layer)
    seen = []
    for _ in range(4):
        with torch.no_grad():
            layer.weight[0, 1] += 0.26
        held.restore(layer)
        seen.append(round(float(layer.weight.detach()[0, 1])))
    assert [1, 2, 2, 2] == seen


@pytest.mark.parametrize(
    "text",
    ["simulated_qat(bits=2,epochs=1)+distilled_tuning(epochs=2)", "simulated_qat(bits=4)+extra_epochs(epochs=1)"],
)
def test_later_fine_tuning_stays_on_the_grid(text, fitted):
    """Whatever the loss; and it does train."""
    recipe = composed(text)
    found = finish(fitted, recipe, reference=lambda _: fitted.network).network
    alone = trained(text.partition("+")[0], fitted=fitted).network
    assert on_grid(found, 2 if "bits=2" in text else 4)
    assert not torch.equal(alone.fc1.bias, found.fc1.bias)


@pytest.mark.parametrize(
    "text",
    ["magnitude_pruning(sparsity=0.8)+simulated_qat(bits=4)", "simulated_qat(bits=4)+magnitude_pruning(sparsity=0.8)"],
)
def test_masks_and_grids_hold_together_in_either_order(text, fitted):
    """Zero is on every grid, and what is masked is zero before anything is rounded."""
    found = trained(text, fitted=fitted).network
    weights = [weight.detach() for weight in found.parameters() if weight.dim() > 1]
    assert on_grid(found, 4)
    assert round(0.8 * sum(w.numel() for w in weights)) <= sum(int((w == 0).sum()) for w in weights)


def test_inputs_of_layers_have_at_most_256_values_also_when_served(fitted):
    """What enters each Linear and convolution; the range is a buffer that ships."""
    served = serve(trained("simulated_qat(epochs=1)", fitted=fitted))
    seen = []
    for layer in (served.network.fc1, served.network.conv[2]):
        layer.register_forward_pre_hook(lambda _, args: seen.append(len(args[0].unique())))
    predict(served, tiny.splits(0).test.inputs, batch=16)
    assert 2 == len(seen)
    assert max(seen) <= 256
    assert all(served.network.get_submodule(name).input_range.any() for name in ("conv.0", "conv.2", "fc1", "fc2"))


def test_answers_of_8_bits_are_nearly_those_of_floats(fitted):
    """Without training: rounding alone, of weights and inputs."""
    inputs = tiny.splits(0).test.inputs
    expected = fitted.network(inputs).detach()
    found = predict(serve(trained("simulated_qat(bits=8,epochs=0)", fitted=fitted)), inputs, batch=16)
    assert 0 < float((expected - found).norm()) < 0.03 * float(expected.norm())


def test_rounded_inputs_keep_zero_and_pass_gradients_where_they_do_not_clip():
    """256 steps from -1 to 3."""
    values = torch.tensor([-2.0, -0.5, 0.0, 1.0, 5.0], requires_grad=True)
    found = rounding.rounded(values, torch.tensor([-1.0, 3.0]))
    found.sum().backward()
    torch.testing.assert_close(
        torch.tensor([-1.0, -0.5, 0.0, 1.0, 3.0]), found.detach(), rtol=0, atol=0.5 * 4 / 255 + 1e-6
    )
    assert 0 == float(found.detach()[2])
    assert [0, 1, 1, 1, 0] == values.grad.tolist()


def test_statistics_and_mode_are_left_by_looking_at_the_first_inputs():
    """Batch normalisation is not trained by it."""
    network = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4)).eval()
    rounding.RoundedInputs().begin(network)
    rounding.observe(network, torch.randn(8, 3) + 5)
    assert not network[1].running_mean.any()
    assert network[0].input_range.any()
    assert not any(module.training for module in network.modules())


def test_fewer_bits_ship_fewer_bytes_and_decode_to_what_is_served(fitted):
    """Names and biases are the rest."""
    sizes = []
    for bits in grids.BITS:
        served = serve(trained(f"simulated_qat(bits={bits},epochs=0)", fitted=fitted))
        artefact, exact = serialized(served)
        assert tiny.equal_states(tiny.state(served.network), grids.decode(artefact))
        assert not exact
        sizes.append(len(artefact))
    weights = sum(w.numel() for w in fitted.network.parameters() if w.dim() > 1)
    assert [weights // 2, weights // 4] == pytest.approx([sizes[0] - sizes[1], sizes[1] - sizes[2]], abs=16)


def test_a_weight_that_is_no_number_does_not_count():
    """No number equals NaN, so it cannot be verified."""
    network = nn.Linear(2, 2)
    with torch.no_grad():
        network.weight[0, 0] = torch.nan
    with pytest.raises(OutputError, match=r"do not decode .*: weight"):
        composed("simulated_qat").runtime.encode(network)


@pytest.mark.parametrize("plain", [samples.attention, samples.words, samples.volumes, samples.pair])
def test_other_networks_are_rounded_too(plain):
    """Attention to the weight; words, volumes and dictionaries in."""
    recipe = plain()
    found = trained("simulated_qat(bits=4,epochs=1)", recipe, tiny.fitted(recipe)).network
    weights = [w for w in found.parameters() if w.dim() > 1 and w.shape[0] != samples.TOKENS]
    assert weights
    assert all(grids.read(weight, grids.Grid(bits=4)) is not None for weight in weights)


@pytest.mark.parametrize("given_", ["bits=3", "bits=16", "epochs=-1"])
def test_parameters_out_of_range_are_errors(given_):
    """They name the parameter and its value."""
    name, _, value = given_.partition("=")
    with pytest.raises(UsageError, match=f"simulated_qat: {name} must be .*got {value}"):
        composed(f"simulated_qat({given_})")


def test_it_is_compared_at_equal_epochs_and_alone_quantizes():
    """Epochs of fine-tuning add up."""
    control = REGISTRY.control(REGISTRY.resolve("simulated_qat(epochs=2)+distilled_tuning(epochs=2)"))
    assert "extra_epochs(epochs=2)+extra_epochs(epochs=2)" == control.name
    with pytest.raises(CompositionError, match="use one of them"):
        composed("simulated_qat+pure_bf16")


def test_what_left_the_grid_later_is_rounded_before_it_ships(fitted):
    """A technique that changes weights without fine-tuning."""
    found = trained("simulated_qat(bits=4,epochs=0)", fitted=fitted)
    with torch.no_grad():
        found.network.fc1.weight.add_(0.01 * torch.randn(found.network.fc1.weight.shape))
    assert not on_grid(found.network, 4)
    assert on_grid(serve(replace(found)).network, 4)


def test_a_later_fine_tuning_goes_on_from_the_float_weights_but_for_zeros():
    """Two halves of a code are one, in two fine-tunings too; a zero may be masked and starts anew."""
    layer = nn.Linear(3, 1)
    with torch.no_grad():
        layer.weight[:] = torch.tensor([[127.0, 1.0, 0.0]])
    held = rounding.Rounded(grids.Grid(bits=8))
    for expected in ([127, 1, 0], [127, 2, 0]):
        held.begin(layer)
        with torch.no_grad():
            layer.weight[0, 1:] += 0.3
        held.restore(layer)
        assert expected == layer.weight.detach()[0].round().tolist()
