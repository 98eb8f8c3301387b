"""Depth, width and resolution by one number: on the article's network and on one that takes any size."""
# the expected value stands on the left

from itertools import pairwise

import pytest
import tiny
import torch
from technique_samples import composed
from torch import nn

from suite.bench import requirements
from suite.bench.preflight.technique import CellChecks
from suite.bench.resolved_cell import case
from suite.catalog.workloads.digits_cnn import SimpleCNN, digits_cnn
from suite.core.errors import UnavailableError, UsageError
from suite.measure.macs import macs_of
from suite.registry import REGISTRY
from suite.training.loop import built
from suite.training.surgery import scaling


class Flexible(nn.Module):
    """Convolutions that keep shapes, and a mean; inputs [B, 1, H, W], outputs [B, 2]."""

    def __init__(self, width=1.0, depth=1.0):
        super().__init__()
        sizes = [1, *[round(10 * width)] * round(5 * depth)]
        self.convs = nn.ModuleList(nn.Conv2d(a, b, 3, padding=1) for a, b in pairwise(sizes))
        self.head = nn.Linear(sizes[-1], 2)

    def forward(self, x):
        for conv in self.convs:
            x = torch.relu(conv(x))
        return self.head(x.mean((2, 3)))


def test_one_number_scales_all_three():
    """At 1: 5 layers become 6, 8 pixels 9, and 11 channels come nearest to twice the count."""
    recipe = composed("compound_scaling(phi=1.0)", tiny.recipe(model=Flexible))
    network = recipe.model()
    assert (6, 11) == (len(network.convs), network.convs[0].out_channels)
    for name in ("train", "validation", "test"):
        part, plain = getattr(recipe.data(), name), getattr(tiny.splits(0), name)
        assert (len(plain), 1, 9, 9) == tuple(part.inputs.shape)
        assert torch.equal(plain.targets, part.targets)
    assert recipe.data() is recipe.data()


def test_none_of_it_is_the_plain_run():
    """The same weights and images at phi = 0."""
    recipe, plain = (composed(text, digits_cnn(0)) for text in ("compound_scaling(phi=0.0)", "baseline"))
    assert tiny.equal_states(tiny.state(built(plain, 0)), tiny.state(built(recipe, 0)))
    assert torch.equal(plain.data().test.inputs, recipe.data().test.inputs)


def test_the_article_network_is_told_its_side():
    """32 pixels leave 6 x 6 after two poolings. A second convolution in each stage would cost five times as much."""
    recipe = composed("compound_scaling(phi=1.0)", digits_cnn(0))
    network = built(recipe, 0)
    assert (39, 77, 77 * 36) == (network.conv1.out_channels, network.conv2.out_channels, network.fc1.in_features)
    assert (0, 0) == (len(network.more1), len(network.more2))
    assert (3, 10) == tuple(network(recipe.data().test.inputs[:3]).shape)
    assert torch.equal(digits_cnn(0).data().test.ids, recipe.data().test.ids)


def times_the_macs(text):
    """Multiply-accumulates of the article's network after ``text``, over those before it."""
    recipe, plain = composed(text, digits_cnn(0)), digits_cnn(0)
    return macs_of(recipe.model().eval(), recipe.data().test.inputs[:1]) / macs_of(
        plain.model().eval(), plain.data().test.inputs[:1]
    )


@pytest.mark.parametrize("name", ["compound_scaling", "width_scaling", "resolution_scaling"])
@pytest.mark.parametrize("phi", [0.5, 1.0, 2.0])
def test_the_count_is_the_one_that_is_said(name, phi):
    """Within a tenth, together and alone."""
    assert pytest.approx(2**phi, rel=0.1) == times_the_macs(f"{name}(phi={phi})")


def test_depth_alone_has_few_counts_and_says_which_is_nearest():
    """A second convolution in each stage is 5.06 times the count, which is 2 ** 2.34."""
    said = r"depth_scaling: .* to 4 times its multiply-accumulates: .* the nearest is 5.06 times; use another phi"
    with pytest.raises(UnavailableError, match=said):
        composed("depth_scaling(phi=2.0)", digits_cnn(0)).model()
    assert pytest.approx(2**2.34, rel=0.1) == times_the_macs("depth_scaling(phi=2.34)")


@pytest.mark.parametrize("name", ["width_scaling", "depth_scaling", "resolution_scaling"])
def test_one_dimension_grows_and_the_others_stay(name):
    """5 layers, 10 channels and 8 pixels, twice the count."""
    plain, recipe = tiny.recipe(model=Flexible), composed(f"{name}(phi=1.0)", tiny.recipe(model=Flexible))
    sizes = [
        (made.convs[0].out_channels, len(made.convs), from_.data().train.inputs.shape[-1])
        for from_ in (plain, recipe)
        for made in (from_.model(),)
    ]
    grown = [now > before for before, now in zip(*sizes, strict=True)]
    assert [name.startswith(one) for one in ("width", "depth", "resolution")] == grown


def test_the_control_has_as_many_by_width_alone():
    """The same exponent."""
    resolved = REGISTRY.resolve("compound_scaling(phi=2.0)")
    assert "width_scaling(phi=2.0)" == str(REGISTRY.control(resolved))


@pytest.mark.parametrize("teacher", ["distillation", "distilled_tuning"])
def test_a_teacher_that_takes_other_images_is_unavailable_before_anything_trains(teacher):
    """It was trained on 28 x 28 pixels."""
    workload = REGISTRY.find_workload("digits_cnn")
    with pytest.raises(UnavailableError, match=r"this network cannot be (trained|served) with it"):
        CellChecks(registry=REGISTRY, device="cpu").check(
            case(REGISTRY, workload, f"compound_scaling+{teacher}", "cpu")
        )


def test_a_network_that_cannot_be_counted_is_unavailable(monkeypatch):
    """There is nothing to come near to."""
    monkeypatch.setattr(scaling, "macs_of", lambda *_: None)
    with pytest.raises(UnavailableError, match="width_scaling: the multiply-accumulates of this network cannot be"):
        composed("width_scaling").model()


def test_the_article_network_is_as_it_was():
    """Without more depth: the names, and numbers in the order in which they are drawn."""
    torch.manual_seed(0)
    found = SimpleCNN()
    torch.manual_seed(0)
    layers = nn.Conv2d(1, 32, 3), nn.Conv2d(32, 64, 3), nn.Linear(1600, 128), nn.Linear(128, 10)
    expected = dict(zip(("conv1", "conv2", "fc1", "fc2"), layers, strict=True))
    states = {f"{name}.{part}": value for name, layer in expected.items() for part, value in layer.state_dict().items()}
    assert tiny.equal_states(states, tiny.state(found))


def test_it_is_trained_on_the_resized_images():
    """Through the one loop; every weight moves."""
    recipe = composed("compound_scaling", tiny.recipe(model=Flexible))
    before, after = built(recipe, 0), tiny.fitted(recipe).network
    assert not any(map(torch.equal, before.parameters(), after.parameters()))


def test_less_than_no_scaling_is_an_error_and_a_model_without_depth_is_unavailable():
    """With the value, and with the reason."""
    with pytest.raises(UsageError, match=r"compound_scaling: phi must be 0 or more, got -1.0"):
        composed("compound_scaling(phi=-1.0)")
    other = REGISTRY.find_workload("digits_multitask")
    with pytest.raises(UnavailableError, match="the model of digits_multitask takes no depth="):
        requirements.require(case(REGISTRY, other, "compound_scaling", "cpu"), other.recipe(0))
