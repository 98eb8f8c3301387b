"""Items are mixed with others of their batch, and so are the losses."""
# the expected value stands on the left

from dataclasses import replace
from functools import partial

import pytest
import technique_samples as samples
import tiny
import torch
import torch.nn.functional as F  # noqa: N812  # torch's own convention
from technique_samples import composed

from suite.bench.requirements import require
from suite.core.errors import UnavailableError, UsageError
from suite.registry import REGISTRY
from suite.training.loop import add_gradients, start
from suite.training.recipe import Batch


def mixed_by(text, plain=None, count=1):
    """What the network was called with, and the losses of ``count`` steps on the first batch."""
    recipe = composed(text, plain)
    trainee = start(recipe, seed=0, device="cpu", reference=tiny.no_reference)
    forward, seen = trainee.forward, []
    trainee.forward = lambda inputs: seen.append(inputs) or forward(inputs)
    batch = next(tiny.batches(tiny.splits(0).train, torch.Generator().manual_seed(0)))
    losses = [float(recipe.gradients(trainee, batch, partial(add_gradients, trainee))) for _ in range(count)]
    return trainee, batch, seen, losses


def test_the_loss_is_cross_entropy_with_mixed_one_hot_targets():
    """The paper's rule. Items that are unit vectors show in the mixed ones who was mixed and by which share."""
    recipe = composed("mixup(alpha=1.0)", tiny.recipe(model=lambda: torch.nn.Linear(8, 3)))
    trainee, seen = start(recipe, seed=0, device="cpu", reference=tiny.no_reference), []
    trainee.forward = lambda inputs: seen.append(inputs) or trainee.network(inputs)
    targets = torch.tensor([0, 1, 2, 0, 1, 2, 0, 1])
    found = recipe.gradients(trainee, Batch(inputs=torch.eye(8), targets=targets), partial(add_gradients, trainee))
    shares = seen[0]
    torch.testing.assert_close(torch.ones(8), shares.sum(1))
    assert 0 < float(shares[0].max()) < 1
    torch.testing.assert_close(
        F.cross_entropy(trainee.network(shares), shares @ F.one_hot(targets).float()).detach(), found
    )


def test_every_step_draws_anew_and_a_run_draws_as_another_of_its_seed():
    """Two steps differ, two runs do not."""
    first, second = (mixed_by("mixup", count=2)[2] for _ in range(2))
    assert torch.equal(torch.stack(first), torch.stack(second))
    assert not torch.equal(first[0], first[1])


def test_means_of_mixed_items_are_those_of_the_batch():
    """Every item is somebody's partner once."""
    _, batch, (inputs,), _ = mixed_by("mixup")
    torch.testing.assert_close(batch.inputs.mean(0), inputs.mean(0))


def test_an_item_that_is_judged_whole_has_the_recipes_loss():
    """Validation items are not mixed."""
    recipe, batch = composed("mixup"), Batch(inputs=torch.zeros(3, 2), targets=torch.tensor([0, 1, 1]))
    output = torch.randn(3, 2)
    assert F.cross_entropy(output, batch.targets) == recipe.loss(None, batch, output)


@pytest.mark.parametrize(
    "text", ["mixup+accumulation(steps=3)", "mixup+large_batch(factor=2)", "sam+mixup", "mixup+sam"]
)
def test_it_goes_with_other_batches_and_gradients(text):
    """Parts of a batch hold their targets; both passes of a step see the same items where sam comes last of the two."""
    network = tiny.fitted(replace(composed(text), epochs=8)).network
    test = tiny.splits(0).test
    assert (network(test.inputs).argmax(1) == test.targets).float().mean() > 0.9


def test_trees_are_mixed_and_whole_numbers_cannot_be():
    """A dictionary of inputs trains; words make the cell unavailable."""
    tiny.fitted(composed("mixup", samples.pair()))
    with pytest.raises(UnavailableError, match="are not floating-point numbers"):
        require(tiny.case_of(REGISTRY, "mixup", "digits_cnn"), samples.words())


@pytest.mark.parametrize("alpha", [0.0, -0.2])
def test_a_distribution_that_is_none_is_an_error(alpha):
    """Beta's parameter is above 0."""
    with pytest.raises(UsageError, match=f"mixup: alpha must be above 0, got {alpha}"):
        composed(f"mixup(alpha={alpha})")
