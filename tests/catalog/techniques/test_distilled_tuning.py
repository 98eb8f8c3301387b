"""Fine-tuning with the trained baseline as teacher, after a compression that holds."""
# the expected value stands on the left

import pytest
import tiny
import torch
import torch.nn.functional as F  # noqa: N812  # torch's own convention
from technique_samples import composed, trained
from torch import nn

from suite.bench.requirements import OF_WORKLOAD
from suite.core.errors import UsageError
from suite.registry import REGISTRY
from suite.training import distilling, loop
from suite.training.loop import finish
from suite.training.recipe import Split, Splits


@pytest.fixture(scope="module")
def fitted():
    return tiny.fitted()


def tuned(text, fitted, asked=None):
    def reference(name):
        if asked is not None:
            asked.append(name)
        return fitted.network

    return finish(fitted, composed(text), reference=reference)


@pytest.mark.parametrize("pruning", ["magnitude_pruning", "layerwise_pruning", "gradual_pruning", "random_pruning"])
@pytest.mark.parametrize("tuning", ["distilled_tuning(epochs=2)", "extra_epochs(epochs=2)"])
def test_what_was_pruned_stays_zero_while_the_rest_is_tuned(pruning, tuning, fitted):
    """The same weights, not only as many."""
    pruned = trained(f"{pruning}(sparsity=0.7,epochs=1)", fitted=fitted).network
    found = tuned(f"{pruning}(sparsity=0.7,epochs=1)+{tuning}", fitted).network
    for before, after in zip(pruned.parameters(), found.parameters(), strict=True):
        assert torch.equal(before == 0, after == 0)
    assert not torch.equal(pruned.fc1.weight, found.fc1.weight)


def test_the_teacher_is_the_baseline_and_stays(fitted):
    """Nobody else is asked for; epochs are counted."""
    before, asked = tiny.state(fitted.network), []
    found = tuned("distilled_tuning(epochs=2)", fitted, asked)
    assert {"baseline"} == set(asked)
    assert tiny.equal_states(before, tiny.state(fitted.network))
    assert len(fitted.epochs) + 2 == len(found.epochs)


def test_without_weight_it_is_its_control(fitted):
    """Labels alone: bit by bit what as many extra epochs give."""
    found, control = (tuned(text, fitted) for text in ("distilled_tuning(weight=0.0)", "extra_epochs(epochs=3)"))
    assert tiny.equal_states(tiny.state(control.network), tiny.state(found.network))


def test_a_student_that_answers_as_its_teacher_has_nothing_left_to_learn_from_it(fitted):
    """At weight 1 labels do not count: the network starts as its own teacher and stays near it."""
    found = tuned("distilled_tuning(weight=1.0,epochs=1)", fitted).network
    other = tuned("extra_epochs(epochs=1)", fitted).network
    inputs = tiny.splits(0).train.inputs
    with torch.no_grad():
        before, taught, labelled = (network(inputs).softmax(1) for network in (fitted.network, found, other))
    assert (before - taught).norm() < (before - labelled).norm()


def test_soft_loss_is_the_divergence_of_softened_outputs():
    """KL(teacher / T || student / T), and 0 for equal ones."""
    output, teacher = torch.tensor([[1.0, -1.0]]), torch.tensor([[3.0, 0.0]])
    p, q = F.softmax(teacher / 2, 1), F.softmax(output / 2, 1)
    torch.testing.assert_close((p * (p / q).log()).sum(), distilling.soft_loss(output, teacher, 2.0))
    torch.testing.assert_close(torch.tensor(0.0), distilling.soft_loss(output, output, 2.0))


def test_scores_of_every_place_of_a_text_are_compared():
    """Of [B, T, V] the last dimension holds the classes, of [B, V, T] the second: the mean over all places."""
    output, teacher = torch.randn(2, 3, 5), torch.randn(2, 3, 5)
    p, q = teacher.softmax(2), output.softmax(2)
    expected = (p * (p / q).log()).sum(2).mean()
    torch.testing.assert_close(expected, distilling.soft_loss(output, teacher, 1.0))
    torch.testing.assert_close(
        expected, distilling.soft_loss(output.transpose(1, 2), teacher.transpose(1, 2), 1.0, dim=1)
    )


@pytest.mark.parametrize("text", ["distilled_tuning(epochs=1)", "label_smoothing", "distillation(width=1.0)"])
def test_a_language_model_is_taught_and_smoothed(text):
    """Outputs [B, T, V] for targets [B, T]; the need is met, and the loss is a number."""

    class Bytes(nn.Sequential):
        def __init__(self, width=1.0):
            super().__init__(nn.Embedding(7, round(width * 4)), nn.Linear(round(width * 4), 7))

    part = Split(inputs=torch.arange(24).reshape(8, 3) % 7, targets=torch.arange(1, 25).reshape(8, 3) % 7)
    plain = tiny.recipe(
        data=lambda: Splits(train=part, test=part), model=Bytes, epochs=1,
        loss=lambda _trainee, batch, output: F.cross_entropy(output.flatten(0, 1), batch.targets.flatten()),
    )  # fmt: skip
    assert OF_WORKLOAD["class_scores"](tiny.case_of(tiny.registry(), "baseline"), plain) is None
    teacher = tiny.fitted(plain)
    fitted = loop.fit(
        composed(text, plain), seed=0, device="cpu", reference=lambda _: teacher.network, goal=None, report=None
    )
    found = finish(fitted, composed(text, plain), reference=lambda _: teacher.network)
    assert all(torch.isfinite(weight).all() for weight in found.network.parameters())
    assert not tiny.equal_states(tiny.state(teacher.network), tiny.state(found.network))


def test_masks_of_layers_that_were_replaced_are_let_go(fitted):
    """Low rank makes new weights of the pruned ones; the first convolution is the same and stays masked."""
    pruned = trained("magnitude_pruning(sparsity=0.9,epochs=0)", fitted=fitted).network
    found = tuned("magnitude_pruning(sparsity=0.9,epochs=0)+low_rank(rank=4,epochs=1)", fitted).network
    assert torch.equal(pruned.conv[0].weight == 0, found.conv[0].weight == 0)
    assert isinstance(found.fc1, nn.Sequential)


def test_its_control_has_as_many_epochs_and_the_prunings_too():
    """Six epochs are compared with six."""
    found = REGISTRY.control(REGISTRY.resolve("magnitude_pruning(epochs=3)+distilled_tuning(epochs=3)"))
    assert "extra_epochs(epochs=3)+extra_epochs(epochs=3)" == found.name


@pytest.mark.parametrize("given_", ["epochs=-1", "temperature=0.0", "weight=1.5"])
def test_parameters_out_of_range_are_errors(given_):
    """They name the parameter and its value."""
    name, _, value = given_.partition("=")
    with pytest.raises(UsageError, match=rf"distilled_tuning: .*{name} .*{value}"):
        composed(f"distilled_tuning({given_})")
