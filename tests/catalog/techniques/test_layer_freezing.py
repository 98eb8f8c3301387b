"""The first layers stop training, and train again when the training is over."""
# the expected value stands on the left

from dataclasses import replace

import pytest
import technique_samples as samples
import tiny
import torch
from technique_samples import composed

from suite.core.errors import UsageError
from suite.training.surgery.called import called_layers


def frozen_at_ends(text, plain):
    """Names of the frozen weights, and all weights, at the end of each epoch."""
    names, states = [], []

    def look(trainee):
        names.append([name for name, weight in trainee.network.named_parameters() if not weight.requires_grad])
        states.append(tiny.state(trainee.network))

    recipe = composed(text, plain)
    network = tiny.fitted(replace(recipe, after_epoch=(*recipe.after_epoch, look))).network
    return names, states, network


def test_layers_freeze_one_after_the_other_and_their_weights_stay():
    """Four layers, eight epochs: half of them train all, then a layer more freezes in every epoch."""
    names, states, _ = frozen_at_ends("layer_freezing", tiny.recipe(epochs=8))
    order = ["conv.0.weight", "conv.0.bias", "conv.2.weight", "conv.2.bias", "fc1.weight", "fc1.bias"]
    assert [[]] * 4 + [order[:2], order[:4], order[:6]] == names[:7]
    for epoch in range(4, 7):
        for name, before in states[epoch].items():
            assert (name in names[epoch]) == torch.equal(before, states[epoch + 1][name])


def test_weight_decay_and_momentum_move_no_frozen_weight():
    """AdamW would shrink a weight whose gradient is zero."""
    adamw = tiny.recipe(epochs=4, optimizer=lambda parameters, rate: torch.optim.AdamW(parameters, lr=rate))
    names, states, _ = frozen_at_ends("layer_freezing(start=0.0)", adamw)
    assert names[0]
    assert all(torch.equal(states[0][name], states[-1][name]) for name in names[0])


def test_what_follows_trains_all_weights_again():
    """Fine-tuning and pruning find nothing frozen."""
    _, _, network = frozen_at_ends("layer_freezing", tiny.recipe(epochs=4))
    assert all(weight.requires_grad for weight in network.parameters())


def test_layers_are_ordered_by_their_calls():
    """A head that is registered first is called last."""
    recipe = samples.head_first()
    network = recipe.model()
    assert [network.body, network.middle, network.head] == called_layers(network, torch.zeros(2, 6))


@pytest.mark.parametrize("given", ["start=-0.1", "start=1.5", "most=2.0"])
def test_shares_out_of_range_are_errors(given):
    """They name the parameter and its value."""
    name, _, value = given.partition("=")
    with pytest.raises(UsageError, match=rf"layer_freezing: {name} must be in \[0, 1\], got {value}"):
        composed(f"layer_freezing({given})")
