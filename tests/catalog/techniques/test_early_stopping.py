"""Training ends once the validation loss says so, at the best epoch's weights."""
# the expected value stands on the left

from dataclasses import replace

import pytest
import tiny
import torch
from hypothesis import given
from hypothesis import strategies as st
from technique_samples import composed

from suite.bench.requirements import require
from suite.core.errors import UnavailableError, UsageError
from suite.registry import REGISTRY
from suite.training import stopping
from suite.training.loop import start
from suite.training.recipe import Splits
from suite.training.validating import validation_loss

LOSSES = st.lists(st.floats(0.01, 10), min_size=1, max_size=12)


def scripted(losses, **changes):
    """A recipe whose validation loss after each epoch is given; weights are told apart by their first bias."""

    def loss(trainee, _batch, output):
        if not torch.is_grad_enabled():
            return output.sum() * 0 + losses[trainee.epoch - 1]
        return output.square().mean()

    return tiny.recipe(loss=loss, epochs=len(losses), **changes)


def biases(text, losses):
    seen = []
    marks = (lambda trainee: seen.append(trainee.network.fc2.bias.detach().clone()),)
    found = tiny.fitted(composed(text, scripted(losses, after_epoch=marks)))
    return seen, found


@pytest.mark.parametrize(
    ("text", "losses", "epochs", "best"),
    [
        ("early_stopping(patience=2)", [3, 2, 2.5, 2.4, 1, 1], 4, 1),
        ("early_stopping(patience=2)", [5, 4, 3, 2], 4, 3),
        ("early_stopping(criterion='GL',threshold=10.0)", [2, 1, 1.05, 1.2, 0.5], 4, 1),
        ("early_stopping(criterion='UP',patience=2)", [3, 1, 2, 1.5, 1.6, 1.7, 0.5], 6, 1),
    ],
)
def test_training_stops_by_the_criterion_and_keeps_the_best_epoch(text, losses, epochs, best):
    """Of the validation losses alone; as many records as epochs that ran."""
    seen, found = biases(text, losses)
    assert epochs == len(seen) == len(found.epochs)
    assert torch.equal(seen[best], found.network.fc2.bias.detach())


@given(losses=LOSSES, patience=st.integers(1, 5), threshold=st.floats(0.1, 50))
def test_no_criterion_stops_at_the_best_epoch(losses, patience, threshold):
    """Whatever came before, a new best loss is a reason to go on."""
    if losses[-1] < min(losses[:-1], default=float("inf")):
        assert not any(criterion(losses, patience, threshold) for criterion in stopping.CRITERIA.values())


@given(losses=LOSSES, patience=st.integers(1, 5))
def test_more_patience_never_stops_earlier(losses, patience):
    """Patience and UP are monotone in their epochs."""
    for name in ("patience", "UP"):
        criterion = stopping.CRITERIA[name]
        assert criterion(losses, patience, 1) or not criterion(losses, patience + 1, 1)


def test_the_validation_loss_is_the_recipes_own_mean_in_evaluation_mode():
    """Of the validation split; the mode of the network is brought back."""
    recipe = tiny.recipe()
    trainee = start(recipe, seed=0, device="cpu", reference=tiny.no_reference)
    trainee.validation = tiny.splits(0).validation
    expected = torch.nn.functional.cross_entropy(trainee.network(trainee.validation.inputs), trainee.validation.targets)
    assert pytest.approx(float(expected.detach()), rel=1e-5) == validation_loss(trainee)
    assert trainee.network.training


def without_validation():
    parts = tiny.splits(0)
    return tiny.recipe(data=lambda: Splits(train=parts.train, test=parts.test))


def test_a_workload_without_validation_data_is_unavailable():
    """The test split is no substitute."""
    case = tiny.case_of(REGISTRY, "early_stopping", "digits_cnn")
    with pytest.raises(UnavailableError, match="digits_cnn have no validation split"):
        require(case, without_validation())
    assert require(case, tiny.recipe()) is None


def test_a_loss_that_nobody_can_validate_is_an_error_that_says_so():
    """Where the loop is used without the suite's checks."""
    with pytest.raises(UsageError, match="no validation split; give Splits a validation="):
        tiny.fitted(composed("early_stopping", without_validation()))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ("patience=0", "patience must be 1 or more, got 0"),
        ("criterion='PQ'", "criterion must be one of patience, GL, UP, got 'PQ'"),
        ("threshold=0.0", "threshold must be above 0"),
    ],
)
def test_a_parameter_out_of_range_is_an_error(parameters, message):
    """The error names the parameter and its value."""
    with pytest.raises(UsageError, match=message):
        composed(f"early_stopping({parameters})")


def test_one_that_never_stops_trains_as_ever():
    """Looking at the validation split changes no weights: the best epoch's are the last one's here."""
    found = tiny.fitted(composed("early_stopping(patience=99)", replace(scripted([3, 2, 1]))))
    assert tiny.equal_states(tiny.state(tiny.fitted(scripted([3, 2, 1])).network), tiny.state(found.network))
