"""Classification: accuracy item by item; macro precision and recall as scikit-learn has them."""
# the expected value stands on the left

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from score_samples import measurements, seed_of
from sklearn.metrics import precision_recall_fscore_support

from suite.catalog.scores import classification
from suite.catalog.scores.classification import macro, macro_precision, macro_recall, right

LABELS = st.integers(1, 40).flatmap(
    lambda n: st.tuples(*(st.lists(st.integers(0, 6), min_size=n, max_size=n) for _ in range(2)))
)


def test_the_class_with_the_highest_score_is_the_answer():
    """Scores need not be probabilities."""
    assert [True, False] == right(torch.tensor([[-3.0, -1.0], [5.0, 9.0]]), torch.tensor([1, 0])).tolist()


@pytest.mark.parametrize("form", [(3,), (3, 1)])
@pytest.mark.parametrize("kind", [torch.long, torch.float32])
def test_one_output_is_the_logit_of_the_second_class(form, kind):
    """Above 0 is class 1; the highest of one score would always be class 0."""
    logits, targets = torch.tensor([0.3, -2.0, 1.5]).reshape(form), torch.tensor([1, 0, 0]).to(kind)
    assert [True, True, False] == right(logits, targets).tolist()
    assert (0.75, 0.75) == (macro_precision(logits, targets), macro_recall(logits, targets))


def test_one_hot_targets_are_classes():
    """[N, K]: the number of the one."""
    scores, targets = torch.tensor([[-3.0, -1.0], [5.0, 9.0]]), torch.tensor([[0.0, 1.0], [1.0, 0.0]])
    assert [True, False] == right(scores, targets).tolist()


@given(labels=LABELS)
def test_macro_precision_and_recall_are_scikit_learns(labels):
    """Classes that only one side knows, and classes that nobody ever says, count as scikit-learn counts them."""
    predicted, targets = map(np.array, labels)
    precision, recall, *_ = precision_recall_fscore_support(targets, predicted, average="macro", zero_division=0)
    assert pytest.approx((precision, recall)) == macro(predicted, targets)


def test_targets_of_a_small_type_do_not_overflow():
    """Data sets are stored as bytes; 100 classes squared are no byte."""
    targets = np.arange(100, dtype=np.uint8)
    assert (1.0, 1.0) == macro(np.arange(100), targets)


def answers(seed):
    """60 items of three classes, four of five right."""
    rng = np.random.default_rng(seed)
    targets = rng.integers(3, size=60)
    predicted = np.where(rng.random(60) < 0.8, targets, rng.integers(3, size=60))
    return torch.eye(3)[predicted], torch.tensor(targets)


@pytest.mark.parametrize("place", [1, 2])
def test_precision_and_recall_are_means_over_seeds_with_an_interval_that_resamples_items(place):
    """Each seed is scored by itself, as scikit-learn would, and the interval holds the value between 0 and 1."""
    score = classification()[place]
    outcomes = []
    for seed in range(2):
        outputs, targets = answers(seed)
        outcomes.append(seed_of(seed, score, [0] * 60, outputs=outputs, targets=targets))
    expected = [
        precision_recall_fscore_support(one.targets, one.outputs.argmax(1), average="macro")[place - 1]
        for one in outcomes
    ]
    found = measurements(score, outcomes)
    assert pytest.approx(expected) == list(found[""].by_seed)
    assert pytest.approx(np.mean(expected)) == found[""].value
    assert 0 < found[""].low < found[""].value < found[""].high < 1
    assert pytest.approx(min(expected)) == found["_worst_seed"].value
    assert (0, 60) == (found["_vs_control"].value, found["_vs_control"].n)
