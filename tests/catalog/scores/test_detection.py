"""Mean average precision, against figures worked out by hand."""
# the expected value stands on the left

import pytest
import torch
from score_samples import measurements, seed_of

from suite.catalog.scores import detection
from suite.catalog.scores.detection import PADDING, mean_average_precision

A, SHIFTED, FAR = (0.0, 0.0, 10.0, 10.0), (0.0, 0.0, 10.0, 5.0), (50.0, 50.0, 60.0, 60.0)
NOTHING = (0.0, 0.0, 0.0, 0.0)


def truth(*items):
    """Each item is a list of (box, label), padded to the longest."""
    return padded([[(box, label, 0.0) for box, label in item] for item in items], scores=False)


def padded(items, *, scores=True):
    most = max(len(item) for item in items)
    rows = [[*item, *[(NOTHING, PADDING, 0.0)] * (most - len(item))] for item in items]
    found = {
        "boxes": torch.tensor([[box for box, _, _ in row] for row in rows]).reshape(len(items), most, 4),
        "labels": torch.tensor([[label for _, label, _ in row] for row in rows]).reshape(len(items), most),
    }
    values = torch.tensor([[value for _, _, value in row] for row in rows]).reshape(len(items), most)
    return found | ({"scores": values} if scores else {})


def found_at(outputs, targets, overlap=0.5):
    return mean_average_precision(padded(outputs), targets, overlap=overlap)


def test_average_precision_by_hand():
    """Right, a second box for the same object (wrong), right: 1/2 x 1 + 1/2 x 2/3 over the two objects."""
    targets = truth([(A, 0)], [(FAR, 0)])
    outputs = [[(A, 0, 0.9), (A, 0, 0.8)], [(FAR, 0, 0.7)]]
    assert pytest.approx(5 / 6) == found_at(outputs, targets)


def test_the_mean_is_over_the_classes_that_occur():
    """A class that nobody finds counts as 0; a class that is found where there is none has no part."""
    targets = truth([(A, 0)], [(FAR, 0), (A, 3)])
    outputs = [[(A, 0, 0.9), (A, 0, 0.8), (FAR, 7, 0.99)], [(FAR, 0, 0.7)]]
    assert pytest.approx((5 / 6 + 0) / 2) == found_at(outputs, targets)


@pytest.mark.parametrize(("overlap", "expected"), [(0.5, 1.0), (0.51, 0.0)])
def test_a_box_counts_from_the_least_overlap_on(overlap, expected):
    """Half the area is an intersection over union of exactly one half."""
    assert expected == found_at([[(SHIFTED, 0, 0.9)]], truth([(A, 0)]), overlap)


def test_a_wrong_box_counts_where_it_is_more_certain_than_the_right_one():
    """A wrong box above the right one halves the precision; one below it costs nothing."""
    targets = truth([(A, 0)])
    assert 0.5 == found_at([[(FAR, 0, 0.9), (A, 0, 0.8)]], targets)
    assert 1.0 == found_at([[(A, 0, 0.9), (FAR, 0, 0.8)]], targets)


def test_precision_at_a_recall_is_the_best_from_there_on():
    """Wrong, right, right: the second object is found at 2/3, and so the first counts 2/3 and not 1/2."""
    targets = truth([(A, 0)], [(A, 0)])
    assert pytest.approx(2 / 3) == found_at([[(FAR, 0, 0.9), (A, 0, 0.8)], [(A, 0, 0.7)]], targets)


def test_without_any_box_nothing_is_found():
    """Neither among the outputs nor among the targets."""
    assert 0.0 == found_at([[]], truth([(A, 0)]))
    assert 0.0 == found_at([[(A, 0, 0.5)]], truth([]))


def test_the_order_of_an_items_boxes_does_not_matter():
    """Scores rank them."""
    boxes = [(A, 0, 0.9), (FAR, 0, 0.8), (SHIFTED, 1, 0.7)]
    targets = truth([(FAR, 0), (A, 1)])
    assert found_at([boxes], targets) == found_at([boxes[::-1]], targets)


def test_its_interval_resamples_items():
    """Half the items found and half missed: the value lies well inside, and two equal sides do not differ."""
    (score,) = detection()
    outputs = padded([[(A, 0, 0.9 - item / 100)] if item % 2 else [(FAR, 0, 0.1)] for item in range(20)])
    targets = truth(*[[(A, 0)]] * 20)
    found = measurements(score, [seed_of(0, score, [0] * 20, outputs=outputs, targets=targets)])
    assert pytest.approx(0.5) == found[""].value
    assert 0.2 < found[""].low < 0.5 < found[""].high < 0.8
    assert (0, 0, 0) == (found["_vs_control"].value, found["_vs_control"].low, found["_vs_control"].high)


@pytest.mark.parametrize(
    ("overlap", "name"), [(0.5, "average_precision_50"), (0.75, "average_precision_75"), (0.55, "average_precision_55")]
)
def test_the_name_says_at_which_overlap(overlap, name):
    """COCO's mean average precision is the mean over ten of them."""
    assert [name] == [score.name for score in detection(overlap=overlap)]
