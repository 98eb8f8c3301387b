"""A narrow student learns from the baseline's features; the regressor between them is thrown away."""
# the expected value stands on the left

from dataclasses import replace

import pytest
import technique_samples as samples
import tiny
import torch
from technique_samples import composed
from torch import nn

from suite.core.errors import CompositionError, UnavailableError, UsageError
from suite.registry import REGISTRY
from suite.training import loop
from suite.training.recipe import Batch, same
from suite.training.surgery import features


@pytest.fixture(scope="module")
def teacher():
    return tiny.fitted(epochs=6)


def student(text, teacher, **changes):
    recipe = composed(text, tiny.recipe(**changes))
    return loop.fit(recipe, seed=0, device="cpu", reference=lambda _: teacher.network, goal=None, report=None)


def hooks(network):
    return [hook for module in network.modules() for hook in (*module._forward_hooks, *module._forward_pre_hooks)]


@pytest.mark.parametrize("text", ["feature_hints(width=0.5)", "feature_hints(width=0.5,layer='fc1')+channels_last"])
def test_what_is_kept_is_the_controls_network_and_the_teacher_stays(text, teacher):
    """No regressor and no hooks, in the student or in the teacher; it learns."""
    before = tiny.state(teacher.network)
    found = student(text, teacher, epochs=8).network
    control = REGISTRY.control(REGISTRY.resolve(text)).apply(tiny.recipe()).model()
    shapes = [{name: t.shape for name, t in net.state_dict().items()} for net in (control, found)]
    assert shapes[0] == shapes[1]
    assert [] == hooks(found) == hooks(teacher.network)
    assert tiny.equal_states(before, tiny.state(teacher.network))
    test = tiny.splits(0).test
    assert float((found(test.inputs).argmax(1) == test.targets).float().mean()) > 0.9


def test_without_weight_it_is_its_control(teacher):
    """Bit by bit: the regressor draws no number that training would have."""
    found = student("feature_hints(width=0.5,weight=0.0)", teacher)
    assert tiny.equal_states(tiny.state(student("narrow(width=0.5)", teacher).network), tiny.state(found.network))


def test_the_regressor_is_trained_and_hints_bring_features_nearer(teacher):
    """The hint alone, before and after some steps of the one loop."""
    recipe = composed("feature_hints(width=0.5,weight=5.0)", tiny.recipe(learning_rate=0.02))
    trainee = loop.start(recipe, seed=0, device="cpu", reference=lambda _: teacher.network)
    train = tiny.splits(0).train
    batch = Batch(inputs=train.inputs, targets=train.targets)
    first = recipe.loss(trainee, batch, trainee.forward(batch.inputs))
    before = tiny.state(trainee.helpers["regressor"])
    step = loop.TrainingStep(trainee, total_steps=20)
    losses = [float(step(batch)) for _ in range(20)]
    assert losses[-1] < 0.8 * float(first.detach())
    assert not tiny.equal_states(before, tiny.state(trainee.helpers["regressor"]))


def test_the_loss_is_the_hint_and_the_labels(teacher):
    """weight * |regressor(student) - teacher|^2 / |teacher|^2 + loss on labels."""
    recipe = composed("feature_hints(width=0.5,weight=3.0,layer='fc1')", tiny.recipe())
    trainee = loop.start(recipe, seed=0, device="cpu", reference=lambda _: teacher.network)
    train = tiny.splits(0).train
    batch = Batch(inputs=train.inputs, targets=train.targets)
    output = trainee.forward(batch.inputs)
    found = recipe.loss(trainee, batch, output)

    def fc1(network):
        x = torch.max_pool2d(torch.relu(network.conv(batch.inputs)), 2).flatten(1)
        return network.fc1(x)

    regressed, wanted = trainee.helpers["regressor"](fc1(trainee.network)), fc1(teacher.network)
    labels = nn.functional.cross_entropy(output, batch.targets)
    torch.testing.assert_close(3 * (regressed - wanted).square().sum() / wanted.square().sum() + labels, found)


def test_validation_items_are_judged_by_their_labels(teacher):
    """Hints are of training batches, which are of another size."""
    found = student("feature_hints(width=0.5)+early_stopping(patience=1)", teacher)
    assert 1 <= len(found.epochs) <= tiny.EPOCHS


def test_features_have_channels_last_whatever_the_layer():
    """Of a convolution [B, H, W, C], of a Linear [B, C]; the hook is there for the call alone."""
    network = tiny.Net()
    for name, shape in (("conv.0", (4, 8, 8, 8)), ("fc1", (4, 16))):
        watched = features.WatchedFeatures(network, name)
        assert torch.equal(network(torch.ones(4, 1, 8, 8)), watched(torch.ones(4, 1, 8, 8)))
        assert shape == tuple(watched.seen().shape)
    assert [] == hooks(network)


def test_the_middle_layer_is_taken_and_a_wrong_name_or_a_single_layer_is_said():
    """With the names that there are."""
    assert "conv.2" == features.named_layer("mine", tiny.Net(), "")
    assert "fc1" == features.named_layer("mine", tiny.Net(), "fc1")
    with pytest.raises(UsageError, match=r"mine: layer must be one of conv\.0, .*, got 'fc9'"):
        features.named_layer("mine", tiny.Net(), "fc9")
    with pytest.raises(UnavailableError, match="mine: the network has no hidden Linear"):
        features.named_layer("mine", nn.Linear(2, 2), "")


def test_a_layer_that_is_read_without_being_called_gives_no_features():
    """Attention's own projection."""
    watched = features.WatchedFeatures(samples.Attention(), "layer.self_attn.out_proj")
    watched(torch.randn(2, 5, 8))
    with pytest.raises(UnavailableError, match="was not called"):
        watched.seen()


def test_it_says_where_nobody_prepared_the_network(teacher):
    """The built-in technique that prepares networks alone is refused; another one shows at the first loss."""
    with pytest.raises(CompositionError, match="cannot be combined with"):
        composed("feature_hints+compiled_training")
    recipe = replace(composed("feature_hints(width=0.5)"), prepare=same)
    with pytest.raises(UsageError, match="another technique replaced 'prepare'"):
        loop.fit(recipe, seed=0, device="cpu", reference=lambda _: teacher.network, goal=None, report=None)


@pytest.mark.parametrize("given_", ["width=0.0", "width=1.5", "weight=-1.0"])
def test_parameters_out_of_range_are_errors(given_):
    """They name the parameter and its value."""
    name, _, value = given_.partition("=")
    with pytest.raises(UsageError, match=f"feature_hints: {name} must be .*got {value}"):
        composed(f"feature_hints({given_})")
