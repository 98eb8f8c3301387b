"""Several tasks with a trunk each (apart, near each other, with stitches), or with one trunk that is told the task."""
# the expected value stands on the left

import pytest
import tiny
import torch
from technique_samples import composed
from torch import nn

from suite.bench import requirements
from suite.bench.resolved_cell import case
from suite.catalog.workloads.digits_multitask import digits_multitask
from suite.core.errors import UnavailableError, UsageError
from suite.measure.macs import macs_of
from suite.measure.size import parameters
from suite.registry import REGISTRY
from suite.training.loop import built
from suite.training.recipe import Batch, Recipe, Split, Splits
from suite.training.tasks import Apart, CrossStitch, Film, Lockstep, squared_distance

NAMES = ["separate_tasks", "cross_stitch", "soft_sharing", "film_conditioning"]
TASKS = ("side", "other")


class Heads(nn.Module):
    """A convolution, a batch norm, a Linear and two heads; inputs [B, 1, 8, 8], outputs [B, 2] of two tasks."""

    def __init__(self, width=1.0):
        super().__init__()
        channels = round(4 * width)
        self.conv, self.norm = nn.Conv2d(1, channels, 3), nn.BatchNorm2d(channels)
        self.hidden = nn.Linear(channels * 9, 6)
        self.heads = nn.ModuleDict({task: nn.Linear(6, 2) for task in TASKS})

    def forward(self, x):
        x = torch.max_pool2d(torch.relu(self.norm(self.conv(x))), 2)
        x = torch.relu(self.hidden(x.flatten(1)))
        return {task: head(x) for task, head in self.heads.items()}


def recipe(model=Heads, **changes):
    parts = [getattr(tiny.splits(0), name) for name in ("train", "test")]
    train, test = (Split(inputs=p.inputs, targets={"side": p.targets, "other": 1 - p.targets}) for p in parts)

    def loss(_trainee, batch, output):
        return sum(nn.functional.cross_entropy(output[task], batch.targets[task]) for task in TASKS)

    plain = {"data": lambda: Splits(train=train, test=test), "model": model, "loss": loss, "epochs": 20}
    return Recipe(**(plain | {"learning_rate": 1e-2} | changes))


def network_of(name, model=Heads):
    return built(composed(name, recipe(model)), 0).eval()


IMAGES = torch.randn(5, 1, 8, 8, generator=torch.Generator().manual_seed(3))


@pytest.mark.parametrize("name", NAMES)
def test_every_task_learns(name):
    """Through the one loop, with the workload's own loss."""
    found = tiny.fitted(composed(name, recipe())).network
    test = recipe().data().test
    for task, scores in found(test.inputs).items():
        assert (scores.argmax(1) == test.targets[task]).float().mean() > 0.9


@pytest.mark.parametrize("name", NAMES)
def test_each_item_is_answered_alone_in_the_networks_own_form(name):
    """Names and shapes of the plain network; what stands beside an item in the batch changes nothing."""
    network = network_of(name)
    found = network(IMAGES)
    assert {task: scores.shape for task, scores in Heads()(IMAGES).items()} == {t: s.shape for t, s in found.items()}
    for item in range(len(IMAGES)):
        alone = network(IMAGES[item : item + 1])
        for task in TASKS:
            torch.testing.assert_close(found[task][item], alone[task][0])


def gradients(network, task):
    network.zero_grad()
    network(IMAGES)[task].square().sum().backward()
    return {name for name, weight in network.named_parameters() if weight.grad is not None and weight.grad.any()}


def test_separate_tasks_share_no_weight():
    """No weight gets a gradient from both; the first weights differ."""
    network = network_of("separate_tasks")
    assert not gradients(network, "side") & gradients(network, "other")
    first, second = network.network.conv.layers
    assert not (first.weight == second.weight).any()


def test_a_separate_task_answers_as_its_own_network_does():
    """The first task's network is the seed's own."""
    torch.testing.assert_close(built(recipe(), 0).eval()(IMAGES)["side"], network_of("separate_tasks")(IMAGES)["side"])


def test_stitches_learn_what_a_task_takes_of_the_others():
    """At first a tenth; with none of it the tasks are apart."""
    network = network_of("cross_stitch")
    assert {"network.conv.layers.1.weight", "network.conv.shares"} <= gradients(network, "side")
    torch.testing.assert_close(torch.tensor([[0.9, 0.1], [0.1, 0.9]]), network.network.conv.shares.detach())
    for module in network.modules():
        if isinstance(module, CrossStitch):
            module.shares.data = torch.eye(2)
    torch.testing.assert_close(network_of("separate_tasks")(IMAGES), network(IMAGES))


def test_stitches_mix_activations_by_their_matrix():
    """Task t gets the sum over s of shares[t, s] times the activations of s."""
    torch.manual_seed(0)
    unit, x = CrossStitch(nn.Conv2d(1, 3, 3), 2), torch.randn(4, 1, 5, 5)
    unit.shares.data = torch.tensor([[0.7, 0.2], [0.5, -0.3]])
    a, b = (layer(part) for layer, part in zip(unit.layers, x.chunk(2), strict=True))
    torch.testing.assert_close(torch.cat([0.7 * a + 0.2 * b, 0.5 * a - 0.3 * b]), unit(x))


def test_the_distance_is_that_of_matrices_and_filters_of_each_pair():
    """Norms and heads do not count."""
    network = network_of("soft_sharing")
    layers = (network.network.conv.layers, network.network.hidden.layers)
    expected = sum(float((first.weight - second.weight).detach().square().sum()) for first, second in layers)
    assert pytest.approx(expected, rel=1e-5) == float(squared_distance(network).detach())


def test_what_the_tasks_do_not_have_twice_has_no_distance():
    """A network that another technique replaced."""
    assert 0 == float(squared_distance(Heads()))


def test_the_penalty_is_in_the_loss_of_training_alone():
    """A look at validation items is judged by their targets."""
    changed, plain = composed("soft_sharing(strength=0.5)", recipe()), recipe()
    network, part = built(changed, 0), recipe().data().train
    trainee, batch = tiny.trainee(changed, network), Batch(inputs=part.inputs, targets=part.targets)
    output = network.eval()(part.inputs)
    assert torch.equal(plain.loss(trainee, batch, output), changed.loss(trainee, batch, output))
    expected = plain.loss(trainee, batch, output) + 0.5 * squared_distance(network)
    network.train()
    torch.testing.assert_close(expected, changed.loss(trainee, batch, output))


def test_a_stronger_penalty_keeps_the_tasks_nearer():
    """After the same training; with none they are as far apart as separate tasks."""
    far, near, apart = (
        float(squared_distance(tiny.fitted(composed(text, recipe())).network).detach())
        for text in ("soft_sharing(strength=0.0)", "soft_sharing(strength=1.0)", "separate_tasks")
    )
    assert apart == far
    assert near < 0.2 * far


def test_a_strength_below_zero_is_refused():
    """With its value."""
    with pytest.raises(UsageError, match=r"soft_sharing: strength, of the penalty, must be 0 or more, got -1\.0"):
        composed("soft_sharing(strength=-1.0)")


@pytest.mark.parametrize(
    ("layer", "shape"), [(nn.Conv2d(2, 3, 1), (4, 2, 5, 5)), (nn.Linear(2, 3), (4, 2)), (nn.Linear(2, 3), (4, 7, 2))]
)
def test_a_task_scales_and_shifts_the_channels_of_its_items(layer, shape):
    """At first nothing is changed; then channel by channel, in either place where channels stand."""
    film, x = Film(layer, 2), torch.randn(shape)
    torch.testing.assert_close(layer(x), film(x))
    film.scale.data, film.shift.data = torch.tensor([[1.0, 2, 3], [4, 5, 6]]), torch.tensor([[0.0, 0, 0], [7, 8, 9]])
    place = 1 if isinstance(layer, nn.Conv2d) else -1
    plain, found = (value.movedim(place, -1) for value in (layer(x), film(x)))
    torch.testing.assert_close(plain[:2] * torch.tensor([1.0, 2, 3]), found[:2])
    torch.testing.assert_close(plain[2:] * torch.tensor([4.0, 5, 6]) + torch.tensor([7.0, 8, 9]), found[2:])


def test_conditioning_starts_as_hard_sharing():
    """The seed's own network, asked once for each task."""
    torch.testing.assert_close(built(recipe(), 0).eval()(IMAGES), network_of("film_conditioning")(IMAGES))


def test_norms_are_each_tasks_own_or_shared_by_all():
    """Statistics of a trunk belong to it."""
    assert type(network_of("separate_tasks").network.norm) is type(network_of("cross_stitch").network.norm) is Apart
    assert type(network_of("film_conditioning").network.norm) is nn.BatchNorm2d


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("separate_tasks", 223_744),
        ("soft_sharing", 223_744),
        ("cross_stitch", 223_744 + 3 * 4),
        ("film_conditioning", 4 * (32 + 64 + 128)),
    ],
)
def test_what_each_costs_on_two_tasks_of_digits(name, more):
    """A second trunk, with stitches, or a scale and a shift; arithmetic of two passes for all of them."""
    network = built(composed(name, digits_multitask(0)), 0).eval()
    assert 225_292 + more == parameters(network)
    assert 2 * 2_631_040 <= macs_of(network, torch.zeros(1, 1, 28, 28))


@pytest.mark.parametrize("name", NAMES)
def test_one_task_is_not_shared(name):
    """Unavailable with the reason; with several tasks it can run."""
    digits = REGISTRY.find_workload("digits_cnn")
    with pytest.raises(UnavailableError, match="the targets of digits_cnn are no dictionary of several tasks"):
        requirements.require(case(REGISTRY, digits, name, "cpu"), digits.recipe(0))
    tasks = REGISTRY.find_workload("digits_multitask")
    requirements.require(case(REGISTRY, tasks, name, "cpu"), tasks.recipe(0))


def test_widths_still_scale_what_is_shared():
    """The rebuilt model takes what the model took."""
    found = composed("separate_tasks+narrow(width=0.5)", recipe()).model()
    assert isinstance(found, Lockstep)
    assert 2 == found.network.conv.layers[1].out_channels


class Apples(nn.Module):
    """A layer for each task and no trunk; inputs [B, 1, 8, 8]."""

    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleDict({task: nn.Linear(64, 2) for task in TASKS})

    def forward(self, x):
        return {task: layer(x.flatten(1)) for task, layer in self.layers.items()}


class Scaled(Heads):
    """A weight beside its layers."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (tiny.Net, "does not answer in a dictionary of its tasks side, other"),
        (Apples, "the tasks share no layer"),
        (Scaled, "Scaled has weights beside those of its layers"),
    ],
)
def test_a_network_that_cannot_be_split_is_unavailable(model, said):
    """With the reason, when it is built."""
    for name in NAMES:
        with pytest.raises(UnavailableError, match=said):
            composed(name, recipe(model)).model()
