"""One trunk, two heads: as many parameters as stated, both tasks in the loss and in the scores."""
# the expected value stands on the left

import pytest
import torch

from suite.bench import requirements
from suite.bench.resolved_cell import case
from suite.catalog.workloads import digits_cnn
from suite.catalog.workloads.digits_multitask import SharedTrunk, digits_multitask, summed_cross_entropy, with_parity
from suite.core.errors import UnavailableError
from suite.registry import REGISTRY
from suite.training.recipe import Batch


@pytest.mark.parametrize(("width", "parameters"), [(1.0, 225_292), (0.25, 14_476)])
def test_the_second_head_adds_a_weight_for_each_shared_value_and_two_biases(width, parameters):
    """258 more than `digits_cnn` has; two networks would have twice as many."""
    network = SharedTrunk(width)
    assert parameters == sum(parameter.numel() for parameter in network.parameters())
    found = network(torch.zeros(3, 1, 28, 28))
    assert {"digit": (3, 10), "parity": (3, 2)} == {task: tuple(scores.shape) for task, scores in found.items()}


def test_targets_are_the_digit_and_whether_it_is_odd():
    """Of the same images in the same folds as `digits_cnn`."""
    ours, theirs = with_parity(2), digits_cnn.splits(2)
    for part in ("train", "validation", "test"):
        found, plain = getattr(ours, part), getattr(theirs, part)
        assert found.inputs is plain.inputs
        assert torch.equal(plain.ids, found.ids)
        assert torch.equal(plain.targets, found.targets["digit"])
        assert torch.equal(plain.targets % 2, found.targets["parity"])


def test_batches_keep_both_targets_with_their_image():
    """As many full batches as the recipe says; parity is that of the digit."""
    recipe, train = digits_multitask(0), with_parity(0).train
    found = list(recipe.batches(train, torch.Generator().manual_seed(0)))
    assert recipe.steps_per_epoch(len(train)) == len(found)
    assert all(torch.equal(batch.targets["digit"] % 2, batch.targets["parity"]) for batch in found)


def answers(digit, parity):
    return {"digit": 50 * torch.eye(10)[digit], "parity": 50 * torch.eye(2)[parity]}


def test_the_loss_is_the_sum_of_the_tasks():
    """A mistake in either task costs what it costs alone; smoothing leaves a tenth of what lies outside the class."""
    batch = Batch(inputs=torch.zeros(1), targets={"digit": torch.tensor([3]), "parity": torch.tensor([1])})
    right = 50 * 0.1 * 9 / 10 + 50 * 0.1 / 2
    for digit, parity, wrong in ((3, 1, 0), (4, 1, 45), (3, 0, 45), (4, 0, 90)):
        found = summed_cross_entropy(None, batch, answers([digit], [parity]))
        assert pytest.approx(right + wrong, abs=1e-4) == float(found)


def test_both_tasks_are_scored_and_neither_by_the_others_answers():
    """Two accuracies, the digit's first."""
    scores = REGISTRY.find_workload("digits_multitask").scores
    assert ["digit_accuracy", "parity_accuracy"] == [score.name for score in scores]
    targets = {"digit": torch.tensor([1, 2, 3]), "parity": torch.tensor([1, 0, 1])}
    outputs = answers([1, 2, 5], [0, 0, 1])
    assert [[1, 1, 0], [0, 1, 1]] == [score.per_item(outputs, targets).int().tolist() for score in scores]


def test_it_runs_only_where_it_is_asked_for():
    """Default and quick runs measure what they did before; the data are those of `digits_cnn`."""
    found = REGISTRY.find_workload("digits_multitask")
    assert (False, False, digits_cnn.digest) == (found.quick, found.default, found.digest)


def test_distillation_into_one_answer_is_unavailable_with_a_reason():
    """Its loss reads one table of class scores; two heads have none."""
    workload = REGISTRY.find_workload("digits_multitask")
    with pytest.raises(UnavailableError, match="digits_multitask has no class scores: one tensor of"):
        requirements.require(case(REGISTRY, workload, "distillation", "cpu"), digits_multitask(0))
