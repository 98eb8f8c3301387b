"""Items that are sure leave early: what is served is the mix of both heads, and the rest of the network is spared."""
# the expected value stands on the left

from dataclasses import replace

import pytest
import technique_samples as samples
import tiny
import torch
import torch.nn.functional as F  # noqa: N812  # torch's own convention
from hypothesis import given
from hypothesis import strategies as st
from technique_samples import composed
from torch import nn

from suite.core.errors import CompositionError, UnavailableError, UsageError
from suite.measure.exits import exits
from suite.measure.macs import macs, macs_of
from suite.measure.size import serialized
from suite.training.loop import built, loss_of
from suite.training.serving import predict, serve
from suite.training.surgery.cutting import cut
from suite.training.surgery.exits import least_confidence

IMAGES = tiny.splits(0).test.inputs


@pytest.fixture(scope="module")
def fitted():
    return tiny.fitted(composed("early_exit(threshold=0.8)", tiny.recipe(epochs=8)))


def at(fitted, threshold):
    network = fitted.network
    network.threshold.fill_(threshold)
    return network


def heads(network):
    hidden = network.stage(IMAGES)
    return network.exit(hidden), network.rest(hidden)


def test_who_is_sure_leaves_and_who_is_not_goes_on(fitted):
    """Item by item, at the median confidence of the exit."""
    early, late = (scores.detach() for scores in heads(fitted.network))
    sure = early.softmax(1).amax(1)
    network = at(fitted, float(sure.median()))
    expected = torch.stack(
        [e if s >= float(network.threshold) else last for e, last, s in zip(early, late, sure, strict=True)]
    )
    torch.testing.assert_close(expected, network(IMAGES))


@pytest.mark.parametrize("threshold", [0.1, 0.7, 0.97, 1.0])
def test_what_is_served_answers_as_the_network_does(fitted, threshold):
    """None, some or all leave early; batches are filled up and cut."""
    network = at(fitted, threshold)
    expected = network(IMAGES).detach()
    torch.testing.assert_close(expected, predict(serve(fitted), IMAGES, batch=5))


@pytest.mark.parametrize(("threshold", "whole"), [(0.0, 0), (1.1, len(IMAGES))])
def test_what_has_left_is_not_computed_further(fitted, threshold, whole):
    """The rest of the network sees only the items that stay, and nothing where none does."""
    at(fitted, threshold)
    served, seen = serve(fitted), []
    served.network.rest.register_forward_pre_hook(lambda _, inputs: seen.append(len(inputs[0])))
    served(IMAGES)
    assert whole == sum(seen)
    assert not fitted.network.skips


def test_both_heads_are_trained_jointly():
    """The loss is the last layer's plus the weighted exit's."""
    recipe = composed("early_exit(weight=0.5)")
    network, batch = built(recipe, 0), next(tiny.batches(tiny.splits(0).train, torch.Generator()))
    outputs = network.train()(batch.inputs)
    late, early = outputs.answers
    expected = F.cross_entropy(late, batch.targets) + 0.5 * F.cross_entropy(early, batch.targets)
    torch.testing.assert_close(expected, loss_of(tiny.trainee(recipe, network), batch, outputs))


@pytest.mark.parametrize("text", ["early_exit+label_smoothing", "slimmable+label_smoothing"])
def test_a_loss_that_replaces_the_recipes_own_is_that_of_each_answer(text):
    """Two heads, or four widths."""
    recipe = composed(text)
    network, batch = built(recipe, 0).train(), next(tiny.batches(tiny.splits(0).train, torch.Generator()))
    found = loss_of(tiny.trainee(recipe, network), batch, network(batch.inputs))
    assert torch.isfinite(found)
    found.backward()


def test_both_heads_learn(fitted):
    """Nine of ten right, for each."""
    for scores in heads(fitted.network):
        assert (scores.argmax(1) == tiny.splits(0).test.targets).float().mean() > 0.9


def test_it_is_cast_and_fine_tuned_like_any_network():
    """Half precision wraps it, and what follows training goes through the same loss."""
    found = samples.trained("magnitude_pruning(epochs=1)+pure_bf16+early_exit")
    served = serve(found)
    assert any(getattr(module, "skips", False) for module in served.network.modules())
    assert serialized(served)[0]
    expected = found.network(IMAGES).detach()
    torch.testing.assert_close(expected, predict(served, IMAGES, batch=16), rtol=0.1, atol=0.1)


@pytest.mark.parametrize(
    "text", ["early_exit(threshold=1.5)", "early_exit(allowed_loss=-0.5)", "early_exit(weight=0.0)"]
)
def test_thresholds_and_losses_are_shares_and_the_exit_has_a_weight(text):
    """The error names the parameter and its value."""
    name, _, value = text.partition("(")[2].rstrip(")").partition("=")
    with pytest.raises(UsageError, match=rf"early_exit: {name}.*, got {value}"):
        composed(text)


@pytest.mark.parametrize(
    ("allowed", "expected"),
    [
        (0.0, 9.0),  # the second item would be lost
        (0.25, 2.0),  # one of four; the third is right for both
        (0.5, 1.0),
    ],
)
def test_the_lowest_confidence_is_chosen_that_loses_no_more_than_is_allowed(allowed, expected):
    """Four items, the surest first; the exit is wrong about the second and the fourth."""
    early = torch.tensor([[9.0, 0.0], [3.0, 0.0], [2.0, 0.0], [1.0, 0.0]])
    late, targets = F.one_hot(torch.tensor([0, 1, 0, 1])).float(), torch.tensor([0, 1, 0, 1])
    found = least_confidence(early, late, targets, allowed)
    assert pytest.approx(float(torch.tensor(expected).sigmoid())) == found


def test_equally_sure_items_leave_together_or_not_at_all():
    """Half of them would be lost; a threshold between them is none."""
    early, targets = torch.tensor([[3.0, 0.0]] * 2), torch.tensor([0, 1])
    late = F.one_hot(targets).float()
    assert (2.0, pytest.approx(0.9526, abs=1e-4)) == tuple(
        least_confidence(early, late, targets, a) for a in (0.1, 0.5)
    )


@given(st.integers(0, 1000), st.sampled_from([0.0, 0.05, 0.2]))
def test_no_more_is_lost_on_the_items_that_it_is_chosen_on(seed, allowed):
    """Whatever both heads answer."""
    torch.manual_seed(seed)
    early, late, targets = torch.randn(20, 3), torch.randn(20, 3), torch.randint(3, (20,))
    leaves = early.softmax(1).amax(1) >= least_confidence(early, late, targets, allowed)
    mixed = torch.where(leaves[:, None], early, late)
    right = [int((scores.argmax(1) == targets).sum()) for scores in (late, mixed)]
    assert right[0] - right[1] <= 20 * allowed + 1e-9


def test_the_threshold_is_chosen_on_validation_data_after_training():
    """As the function of both heads' answers there, which is in the artefact; one that is said stays."""
    found = samples.trained("early_exit(allowed_loss=0.0)", tiny.recipe(epochs=8)).network
    assert "threshold" in found.state_dict()
    part = tiny.splits(0).validation
    expected = least_confidence(*found.heads(part.inputs), part.targets, 0.0)
    assert pytest.approx(expected) == float(found.threshold)
    assert 0.75 == samples.trained("early_exit(threshold=0.75)").network.threshold


def test_without_validation_data_a_threshold_must_be_said():
    """Unavailable with the reason."""
    data = replace(tiny.splits(0), validation=None)
    with pytest.raises(UnavailableError, match="no validation split to choose on; say threshold= in advance"):
        samples.trained("early_exit", tiny.recipe(data=lambda: data))
    assert 0.5 == float(samples.trained("early_exit(threshold=0.5)", tiny.recipe(data=lambda: data)).network.threshold)


@pytest.mark.parametrize(("threshold", "rate"), [(0.1, 1.0), (1.1, 0.0)])
def test_who_leaves_and_what_an_item_takes_is_measured(fitted, threshold, rate):
    """All pay for the branch, or all for the whole network and the exit."""
    network = at(fitted, threshold)
    branch, whole = macs_of(network.branch.eval(), IMAGES[:1]), macs(fitted)
    found = {one.metric: one for one in exits(tiny.BASELINE_CELL, fitted, whole)}
    assert branch < whole
    assert (rate, branch if rate else whole) == (found["exit_rate"].value, found["mean_macs"].value)
    assert ("portable", "size", len(IMAGES)) == (
        found["mean_macs"].tier,
        found["mean_macs"].group,
        found["exit_rate"].n,
    )


def test_the_mean_is_that_of_the_items(fitted):
    """Item by item, at the median confidence."""
    early, _ = heads(at(fitted, 0.5))
    network = at(fitted, float(early.detach().softmax(1).amax(1).median()))
    branch, whole = macs_of(network.branch.eval(), IMAGES[:1]), macs(fitted)
    expected = sum(branch if leaves else whole for leaves in network.leaving(IMAGES)) / len(IMAGES)
    assert pytest.approx(expected) == exits(tiny.BASELINE_CELL, fitted, whole)[1].value


def test_a_network_without_an_exit_has_no_such_figures():
    """There is nothing to leave by."""
    assert [] == exits(tiny.BASELINE_CELL, tiny.fitted(), 1000)


def test_what_cannot_be_counted_has_the_rate_alone(fitted):
    """Half a mean is none."""
    assert ["exit_rate"] == [one.metric for one in exits(tiny.BASELINE_CELL, fitted, None)]


def test_one_graph_cannot_hold_it():
    """What compiles the served network is refused."""
    with pytest.raises(CompositionError, match="cannot be combined with"):
        composed("early_exit+compiled")


# -- cutting ----------------------------------------------------------------------------------------------------------


def test_a_cut_keeps_weights_and_answers():
    """Between the two convolutions, behind the activation; both parts hold the network's own weights."""
    network = tiny.Net()
    first, rest = cut(network, IMAGES[:1], convolutions=1)
    assert torch.equal(network(IMAGES), rest(first(IMAGES)))
    assert bool((first(IMAGES) >= 0).all())
    names = sorted([*dict(first.named_parameters()), *dict(rest.named_parameters())])
    assert sorted(dict(network.named_parameters())) == names


class Normed(nn.Sequential):
    """A batch norm in the first part; inputs [B, 1, 8, 8], outputs [B, 2]."""

    def __init__(self):
        layers = (nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 2, 6), nn.Flatten())
        super().__init__(*layers)


def test_looking_for_the_place_moves_no_statistics():
    """The network is cut as it was built, in the mode in which it was."""
    network = composed("early_exit", replace(tiny.recipe(), model=Normed)).model()
    norm = next(module for module in network.modules() if isinstance(module, nn.BatchNorm2d))
    assert 0 == int(norm.num_batches_tracked)
    assert all(module.training for module in network.modules())


class Branches(nn.Module):
    """Two convolutions of one input: nothing passes between them alone."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Conv2d(1, 2, 3), nn.Conv2d(1, 2, 3)

    def forward(self, x):
        return (self.first(x) + self.second(x)).mean((2, 3))


class Dropping(tiny.Net):
    """Dropout by the mode at the time of the trace."""

    def forward(self, x):
        return F.dropout(super().forward(x), training=self.training)


class Choosing(tiny.Net):
    """Asks for values."""

    def forward(self, x):
        return super().forward(x) if x.sum() > 0 else x.flatten(1)[:, :2]


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (lambda: nn.Sequential(nn.Conv2d(1, 2, 8), nn.Flatten()), "the network has 1 convolutions"),
        (Branches, "no single tensor passes between convolutions 1 and 2"),
        (Dropping, "in one mode only"),
        (Choosing, "torch.fx cannot follow this network"),
    ],
)
def test_what_cannot_be_cut_is_unavailable(model, said):
    """With the reason, when the network is built."""
    with pytest.raises(UnavailableError, match=said):
        composed("early_exit", replace(tiny.recipe(), model=model)).model()
