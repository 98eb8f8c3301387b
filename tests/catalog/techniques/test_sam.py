"""The gradient of a step is that of the weights uphill, and the weights are where they were."""
# the expected value stands on the left

from dataclasses import replace
from functools import partial

import pytest
import tiny
import torch
import torch.nn.functional as F  # noqa: N812  # torch's own convention
from technique_samples import composed
from torch import nn

from suite.core.errors import UsageError
from suite.training.loop import add_gradients, start
from suite.training.recipe import Batch


def batch():
    return next(tiny.batches(tiny.splits(0).train, torch.Generator().manual_seed(0)))


def run(recipe):
    return start(recipe, seed=0, device="cpu", reference=tiny.no_reference)


def gradients(trainee, of=None, **scaler):
    """A step's gradients as the loop computes them."""
    return trainee.recipe.gradients(trainee, of or batch(), partial(add_gradients, trainee, **scaler))


def test_the_gradient_is_that_of_weights_a_radius_uphill():
    """By hand: the plain gradient's direction, a tenth along it, the plain gradient there."""
    trainee = run(composed("sam(radius=0.1)"))
    by_hand = run(tiny.recipe())
    add_gradients(by_hand, batch())
    norm = torch.cat([weight.grad.flatten() for weight in by_hand.network.parameters()]).norm()
    with torch.no_grad():
        for weight in by_hand.network.parameters():
            weight.add_(0.1 * weight.grad / norm)
            weight.grad = None
    add_gradients(by_hand, batch())
    gradients(trainee)
    for expected, found in zip(by_hand.network.parameters(), trainee.network.parameters(), strict=True):
        torch.testing.assert_close(expected.grad, found.grad)


def test_weights_and_statistics_are_those_before_the_second_pass():
    """To the bit; running statistics have seen the first pass alone. The loss is the first pass's."""
    plain = tiny.recipe(model=lambda: nn.Sequential(nn.Flatten(), nn.BatchNorm1d(64), nn.Linear(64, 2)))
    found, expected = run(composed("sam", plain)), run(plain)
    before = [weight.detach().clone() for weight in found.network.parameters()]
    losses = [gradients(trainee) for trainee in (expected, found)]
    assert losses[0] == losses[1]
    assert all(torch.equal(old, weight) for old, weight in zip(before, found.network.parameters(), strict=True))
    assert 1 == int(found.network[1].num_batches_tracked)
    assert tiny.equal_states(tiny.state(expected.network), tiny.state(found.network))


def test_a_quadratic_is_differentiated_uphill_of_where_it_stands():
    """Of w^2 / 2 the gradient is w: at w = 3 and a radius of 0.5 it is 3.5."""
    layer = nn.Linear(1, 1, bias=False)
    nn.init.constant_(layer.weight, 3.0)
    plain = tiny.recipe(model=lambda: layer, loss=lambda _trainee, _batch, output: output.square().sum() / 2)
    trainee = run(composed("sam(radius=0.5)", plain))
    nn.init.constant_(layer.weight, 3.0)
    loss = gradients(trainee, Batch(inputs=torch.ones(1, 1), targets=torch.zeros(1)))
    assert [4.5, 3.5, 3.0] == [float(loss), float(layer.weight.grad), float(layer.weight.detach())]


def test_scaled_gradients_have_the_same_direction():
    """A gradient scaler leaves the point uphill where it is."""
    found = []
    for scale in (1.0, 1024.0):
        trainee = run(composed("sam"))
        scaler = torch.amp.GradScaler("cpu", init_scale=scale)
        gradients(trainee, scaler=scaler)
        found.append(trainee.network.fc1.weight.grad / scale)
    torch.testing.assert_close(*found)


def test_a_gradient_of_zero_leaves_the_weights_where_they_are():
    """There is no direction."""
    plain = tiny.recipe(loss=lambda _trainee, _batch, output: 0.0 * output.sum())
    trainee = run(composed("sam", plain))
    gradients(trainee)
    assert not trainee.network.fc1.weight.grad.any()


def test_it_trains_with_accumulation_and_smoothing_in_either_order():
    """The network learns, and the order of names does not matter."""
    found = [tiny.state(tiny.fitted(composed(text)).network) for text in ("sam+accumulation", "accumulation+sam")]
    assert tiny.equal_states(*found)
    network = tiny.fitted(replace(composed("sam+label_smoothing"), epochs=8)).network
    test = tiny.splits(0).test
    assert F.cross_entropy(network(test.inputs), test.targets) < 0.5


@pytest.mark.parametrize("radius", [0.0, -1.0])
def test_a_radius_that_is_none_is_an_error(radius):
    """It would be the plain training at twice its cost."""
    with pytest.raises(UsageError, match=f"sam: radius must be above 0, got {radius}"):
        composed(f"sam(radius={radius})")
