"""What a recipe does where a workload does not say."""
# the expected value stands on the left

import pytest
import tiny
import torch
import torch.nn.functional as F  # noqa: N812  # torch's own convention
from torch import nn

from suite.core.errors import UsageError
from suite.training.defaults import BATCH, adamw, cosine, shuffled_batches, usual_class_loss, usual_loss
from suite.training.recipe import Batch, Recipe, Split

OUTPUT = torch.tensor([[1.0, -1.0], [0.5, 2.0]])


def loss(output, targets):
    return usual_loss(None, Batch(inputs=torch.zeros(len(output)), targets=targets), output)


def test_whole_numbers_are_classes():
    """Cross-entropy."""
    targets = torch.tensor([1, 0])
    assert torch.equal(F.cross_entropy(OUTPUT, targets), loss(OUTPUT, targets))


def test_classes_of_every_place_are_scored_too():
    """Outputs [B, K, T] for targets [B, T]."""
    output, targets = torch.randn(2, 3, 4), torch.zeros(2, 4, dtype=torch.long)
    assert torch.equal(F.cross_entropy(output, targets), loss(output, targets))


@pytest.mark.parametrize("form", [(2,), (2, 1)])
def test_other_numbers_are_values(form):
    """Mean squared error, an output [B, 1] for a target [B] included: no matrix of all against all."""
    assert 2.5 == float(loss(torch.tensor([[1.0], [2.0]]), torch.tensor([0.0, 4.0]).reshape(form)))


@pytest.mark.parametrize(
    ("output", "targets", "kinds"),
    [("ab", torch.tensor([1, 0]), "str and Tensor"), (OUTPUT, {"a": torch.tensor([1, 0])}, "Tensor and dict")],
)
def test_what_is_no_tensor_has_no_usual_loss(output, targets, kinds):
    """The workload brings its own, and is told so."""
    with pytest.raises(UsageError, match=f"outputs and targets are {kinds}, .* give the recipe a loss"):
        loss(output, targets)


@pytest.mark.parametrize("output", [(OUTPUT, None), {"logits": OUTPUT, "hidden": torch.zeros(2, 5)}])
def test_of_several_outputs_the_first_or_the_logits_are_scored(output):
    """As model hubs answer."""
    targets = torch.tensor([1, 0])
    assert torch.equal(F.cross_entropy(OUTPUT, targets), loss(output, targets))


def test_values_of_another_number_than_the_outputs_are_refused():
    """Two scores for one floating-point label: these are classes."""
    with pytest.raises(UsageError, match=r"give classes as whole numbers \(targets.long\(\)\)"):
        loss(OUTPUT, torch.tensor([1.0, 0.0]))


def class_loss(output, targets):
    return usual_class_loss(None, Batch(inputs=torch.zeros(len(output)), targets=targets), output)


@pytest.mark.parametrize("targets", [torch.tensor([1, 0]), torch.tensor([1.0, 0.0]), torch.tensor([[1.0], [0.0]])])
@pytest.mark.parametrize("form", [(2,), (2, 1)])
def test_one_output_of_a_classifier_is_a_logit(targets, form):
    """Binary cross-entropy, for labels of any type."""
    logits = torch.tensor([2.0, -1.0])
    expected = F.binary_cross_entropy_with_logits(logits, torch.tensor([1.0, 0.0]))
    assert torch.equal(expected, class_loss(logits.reshape(form), targets))


@pytest.mark.parametrize("targets", [torch.tensor([1.0, 0.0]), torch.tensor([[0.0, 1.0], [1.0, 0.0]])])
def test_labels_of_a_classifier_may_be_floats_or_one_hot(targets):
    """As pandas reads them, and as one_hot gives them."""
    assert torch.allclose(F.cross_entropy(OUTPUT, torch.tensor([1, 0])), class_loss(OUTPUT, targets))


def test_a_last_batch_of_one_is_left_out_unless_it_is_all_there_is():
    """BatchNorm cannot train on it; with other orders it is another item."""
    for count, expected in ((129, [64, 64]), (1, [1]), (66, [64, 2])):
        part = Split(inputs=torch.zeros(count, 2), targets=torch.zeros(count))
        assert expected == [len(batch) for batch in shuffled_batches(part, torch.Generator().manual_seed(0))]


def test_an_epoch_has_every_item_once_in_shuffled_batches():
    """The last batch is shorter; inputs, targets and all parts of them stay together."""
    numbers = torch.arange(150)
    part = Split(inputs={"a": numbers, "b": (2 * numbers,)}, targets=3 * numbers)
    found = list(shuffled_batches(part, torch.Generator().manual_seed(0)))
    assert [BATCH, BATCH, 150 - 2 * BATCH] == [len(batch) for batch in found]
    order = torch.cat([batch.inputs["a"] for batch in found])
    assert list(range(150)) == sorted(order.tolist()) != order.tolist()
    for batch in found:
        assert torch.equal(2 * batch.inputs["a"], batch.inputs["b"][0])
        assert torch.equal(3 * batch.inputs["a"], batch.targets)


def test_the_generator_alone_decides_the_batches():
    """The same seed gives the same epoch, and the next epoch is another."""
    part, generator = Split(inputs=torch.arange(9), targets=torch.arange(9)), torch.Generator().manual_seed(1)
    first, second = (next(shuffled_batches(part, generator)).inputs.tolist() for _ in range(2))
    again = next(shuffled_batches(part, torch.Generator().manual_seed(1))).inputs.tolist()
    assert first == again != second


def test_the_schedule_ends_at_zero():
    """From the peak, over exactly the steps there are; a run without steps has a schedule too."""
    optimizer = adamw([nn.Parameter(torch.ones(1))], 0.5)
    schedule, rates = cosine(optimizer, 0.5, 4), []
    for _ in range(4):
        rates += schedule.get_last_lr()
        optimizer.step()
        schedule.step()
    assert 0.5 == rates[0]
    assert sorted(rates, reverse=True) == rates
    assert pytest.approx(0.0, abs=1e-12) == schedule.get_last_lr()[0]
    assert cosine(optimizer, 0.5, 0)


def test_a_recipe_of_data_and_model_alone_trains():
    """Everything else has a default that learns what there is to learn."""
    trained = tiny.fitted(Recipe(data=lambda: tiny.splits(0), model=tiny.Net, epochs=30))
    test = tiny.splits(0).test
    assert (trained.network(test.inputs).argmax(1) == test.targets).float().mean() > 0.9
