"""Which weights of an untrained network matter, by its loss and by what flows through it."""
# the expected value stands on the left

import pytest
import technique_samples as samples
import tiny
import torch
from technique_samples import composed
from torch import nn

from suite.core.errors import UnavailableError, UsageError
from suite.training import loop
from suite.training.loop import built, first_batch
from suite.training.surgery import saliency
from suite.training.surgery.masks import prunable

EXAMPLE = tiny.splits(0).train.first(1).inputs


class Normed(nn.Module):
    """A batch norm and dropout; inputs [B, 1, 8, 8], outputs [B, 2]."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm, self.head = nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Linear(4, 2)

    def forward(self, x):
        return self.head(nn.functional.dropout(self.norm(self.conv(x)).mean((2, 3)), 0.5, self.training))


def test_a_weight_matters_by_what_removing_it_does_to_the_loss():
    """Its value times the gradient of the first batch's loss."""
    recipe = tiny.recipe()
    network = built(recipe, 0)
    found = saliency.snip(network, recipe)
    batch = first_batch(recipe, recipe.data().train, torch.Generator().manual_seed(0))
    nn.functional.cross_entropy(network(batch.inputs), batch.targets).backward()
    for weight in prunable(network):
        torch.testing.assert_close((weight * weight.grad).abs().detach(), found[weight])


def test_scoring_moves_nothing_of_the_network_or_of_the_seed():
    """No gradient, no statistic, no random number."""
    recipe = tiny.recipe(model=Normed)
    network = built(recipe, 0).train()
    before, drawn = tiny.state(network), torch.get_rng_state()
    saliency.snip(network, recipe)
    saliency.synflow(network, EXAMPLE, 0.5)
    assert tiny.equal_states(before, tiny.state(network))
    assert torch.equal(drawn, torch.get_rng_state())
    assert all(weight.grad is None for weight in network.parameters())
    assert network.training


def test_the_flow_of_a_weight_is_that_of_all_paths_through_it():
    """Two layers: its absolute value times those that feed it and those that it feeds."""
    network = nn.Sequential(nn.Linear(2, 2, bias=False), nn.Linear(2, 1, bias=False))
    network[0].weight.data, network[1].weight.data = torch.tensor([[1.0, -2], [3, 0.5]]), torch.tensor([[-1.0, 0.1]])
    found = saliency.synflow(network, torch.zeros(1, 2), 0.5)  # paths 1, 2 | 0.3, 0.05 and 3 | 0.35
    assert [[1, 1], [0, 0]] == found[network[0].weight].tolist()
    assert [[1, 0]] == found[network[1].weight].tolist()


def test_the_flow_is_never_cut():
    """At a sparsity that would empty a layer if each weight were looked at once, every layer keeps some."""
    network = built(tiny.recipe(), 0)
    found = saliency.synflow(network, EXAMPLE, 0.98)
    assert all(bool(mask.any()) for mask in found.values())
    total = sum(mask.numel() for mask in found.values())
    assert round(0.98 * total) == sum(int((mask == 0).sum()) for mask in found.values())


def test_a_flow_of_words_is_unavailable():
    """An input of ones is a word like any other."""
    network = built(samples.words(), 0)
    with pytest.raises(UnavailableError, match="synflow: the inputs are not floating-point numbers"):
        saliency.synflow(network, samples.words().data().train.first(1).inputs, 0.5)


@pytest.mark.parametrize("criterion", ["magnitude", "snip", "synflow"])
def test_what_is_pruned_before_training_stays_zero_and_so_it_does_in_fine_tuning(criterion):
    """As many weights as were asked for, and the same ones."""
    recipe = composed(f"prune_at_init(sparsity=0.6,criterion={criterion!r})+extra_epochs(epochs=1)", tiny.recipe())
    fitted = tiny.fitted(recipe)
    tuned = loop.finish(fitted, recipe, reference=tiny.no_reference).network
    zeros, again = ([weight == 0 for weight in prunable(net)] for net in (fitted.network, tuned))
    assert all(map(torch.equal, zeros, again))
    total = sum(weight.numel() for weight in prunable(tuned))
    assert pytest.approx(0.6 * total, abs=2) == sum(int(zero.sum()) for zero in zeros)


def test_a_loss_that_needs_a_teacher_cannot_score():
    """It says in which order to write the two."""
    recipe = composed("distillation+prune_at_init(criterion='snip')", tiny.recipe())
    with pytest.raises(UnavailableError, match="write the technique that prunes before the one that brings this loss"):
        tiny.fitted(recipe)


def test_a_criterion_that_nobody_knows_is_an_error():
    """It names what there is."""
    with pytest.raises(UsageError, match="criterion must be one of magnitude, snip, synflow, got 'grasp'"):
        composed("prune_at_init(criterion='grasp')")


def test_a_network_that_is_not_pruned_has_no_masks_yet():
    """And one that is pruned has those of its zeros."""
    network = tiny.Net()
    assert saliency.kept(network, 0.5) is None
    with torch.no_grad():
        for weight in prunable(network):
            weight.flatten()[: weight.numel() // 2 + 1] = 0
    found = saliency.kept(network, 0.5)
    assert all(torch.equal(weight != 0, mask.bool()) for weight, mask in found.items())
