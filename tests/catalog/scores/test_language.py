"""Bits per byte: all bits over all bytes."""
# the expected value stands on the left

import math

import pytest
import torch
from score_samples import measurements, seed_of

from suite.catalog.scores import language
from suite.catalog.scores.language import IGNORED, bits
from suite.measure.scoring.items import figures_of

(SCORE,) = language()


def test_a_model_that_knows_nothing_needs_all_bits():
    """Equal scores of 256 bytes are 8 bits for each of them."""
    found, counted = bits(torch.zeros(2, 3, 256), torch.zeros(2, 3, dtype=torch.long))
    assert [24.0, 24.0] == pytest.approx(found.tolist())
    assert [3, 3] == counted.tolist()


def test_padding_is_neither_counted_nor_predicted():
    """An item of one byte beside an item of three."""
    targets = torch.tensor([[1, IGNORED, IGNORED], [0, 1, 0]])
    found, counted = bits(torch.tensor([0.0, math.log(3)]).expand(2, 3, 2), targets)
    assert [1, 3] == counted.tolist()
    assert [2 - math.log2(3), 6 - math.log2(3)] == pytest.approx(found.tolist())  # 3/4 is log2(4/3), 1/4 is 2 bits


def test_bits_per_byte_is_total_bits_over_total_bytes():
    """Short texts weigh less than long ones: the score of the whole equals that of the parts joined."""
    generator = torch.Generator().manual_seed(0)
    outputs = torch.randn(5, 6, 4, generator=generator)
    targets = torch.randint(4, (5, 6), generator=generator)
    for item, size in enumerate((6, 1, 2, 5, 3)):
        targets[item, size:] = IGNORED
    figures = figures_of(SCORE, outputs, targets, 5)
    kept = targets != IGNORED
    nats = -outputs.log_softmax(-1)[kept].gather(1, targets[kept][:, None]).double().sum()
    expected = float(nats) / math.log(2) / 17
    found = measurements(SCORE, [seed_of(0, SCORE, figures.totals, weights=figures.weights)])[""]
    assert pytest.approx(expected) == found.value
    assert pytest.approx(expected, rel=1e-3) != float((figures.totals / figures.weights).mean())
    assert found.low < found.value < found.high
    assert ("bit", "lower") == (found.unit, found.better)
